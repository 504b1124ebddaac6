/**
 * The process between us and an embedded server: starts it, and ends it when we are gone.
 *
 * Its standard input is a pipe that only its parent holds. When the pipe closes, because the parent said so, exited or was
 * killed, the server is shut down fast (SIGINT) and the folders named for removal are removed.
 *
 * Arguments: one JSON object, see `KeeperOrder`. Standard error carries the server's log.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'

export interface KeeperOrder {
  readonly program: string
  readonly args: readonly string[]
  /** Absent: as the current user. */
  readonly runAsId?: number
  readonly removeFolders: readonly string[]
}

const STOP_DEADLINE_MS = 20_000

const order = JSON.parse(process.argv[2] ?? '{}') as KeeperOrder
const server = spawn(order.program, order.args, {
  stdio: ['ignore', 'ignore', 'inherit'],
  detached: true,
  ...(order.runAsId === undefined ? {} : { uid: order.runAsId, gid: order.runAsId }),
})

function removeFolders(): void {
  for (const folder of order.removeFolders) rmSync(folder, { recursive: true, force: true })
}

let isStopping = false
function stop(): void {
  if (isStopping) return
  isStopping = true
  server.kill('SIGINT')
  setTimeout(() => server.kill('SIGQUIT'), STOP_DEADLINE_MS).unref()
}

server.on('error', (error) => {
  process.stderr.write(`backstop: cannot start the server: ${error.message}\n`)
  removeFolders()
  process.exit(1)
})
server.on('exit', (code) => {
  removeFolders()
  process.exit(isStopping ? 0 : (code ?? 1))
})
process.stdin.on('end', stop)
process.stdin.on('close', stop)
process.stdin.resume()
// Signals meant for the whole terminal group reach the parent too; it decides when to stop.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.stderr.on('error', () => {})
