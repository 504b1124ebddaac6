/** Stands in for lsof where there is none: `lsof -i :<port>` says whether something listens there. Linux. Another option is an error. */
import { readFileSync } from 'node:fs'

const LISTENS = '0A'
const port = /^:(\d+)$/.exec(process.argv[3] ?? '')?.[1]
if (process.argv[2] !== '-i' || port === undefined) throw new Error('usage: lsof -i :<port>')
const ending = `:${Number(port).toString(16).toUpperCase().padStart(4, '0')}`
const sockets = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)
const found = sockets.filter((line) => {
  const [, local = '', , state] = line.trim().split(/\s+/)
  return local.endsWith(ending) && state === LISTENS
})
for (const line of found) console.log(`${line.trim()} (LISTEN)`)
if (found.length === 0) process.exitCode = 1
