/** npm @bytebase/dbhub as a peer: read-only over stdio, as its users start it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const DBHUB_VERSION = '1.4.0'

export interface Peer {
  query(sql: string): Promise<void>
  stop(): Promise<void>
}

/** Install into `folder` once; undefined with a reason where the registry cannot be reached. */
export function installDbhub(folder: string): string | undefined {
  const program = join(folder, 'node_modules/.bin/dbhub')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  try {
    const args = ['install', '--no-save', '--ignore-scripts', '--loglevel=error', `@bytebase/dbhub@${DBHUB_VERSION}`]
    execFileSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    return program
  } catch {
    return undefined
  }
}

/** The DSN goes into a configuration file with private rights: an argument would show in the process list. */
export async function startDbhub(program: string, folder: string, url: string): Promise<Peer> {
  const config = join(folder, 'dbhub.toml')
  const text = `[[sources]]\nid = "bench"\ndsn = "${url}?sslmode=disable"\n\n[[tools]]\nname = "execute_sql"\nsource = "bench"\nreadonly = true\n`
  writeFileSync(config, text, { mode: 0o600 })
  const child = spawn(program, ['--transport', 'stdio', '--config', config], {
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: folder,
  })
  const rpc = connect(child)
  await rpc('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  })
  child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  const listed = (await rpc('tools/list', {})) as { tools: readonly { name: string }[] }
  const name = listed.tools.find((tool) => tool.name.startsWith('execute_sql'))?.name
  if (name === undefined) throw new Error('dbhub offers no execute_sql')
  return {
    query: async (sql) => {
      const result = (await rpc('tools/call', { name, arguments: { sql } })) as { isError?: boolean; content: unknown }
      if (result.isError === true) throw new Error(`dbhub: ${JSON.stringify(result.content)}`)
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}

function connect(child: ChildProcess): (method: string, params: object) => Promise<unknown> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let lastId = 0
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const message = JSON.parse(line) as { id?: number; result?: unknown; error?: unknown }
    const call = message.id === undefined ? undefined : waiting.get(message.id)
    if (call === undefined) return
    waiting.delete(message.id as number)
    if (message.error === undefined) call.resolve(message.result)
    else call.reject(new Error(JSON.stringify(message.error)))
  })
  return (method, params) =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, { resolve, reject })
      child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
}
