/** The container-free local cloud: MiniStack, pinned, in a virtual environment of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'

export const MINISTACK_VERSION = '1.4.21'

const root = dirname(import.meta.dirname)
const STARTS_WITHIN_MS = 60_000
const run = promisify(execFile)

export interface Ministack {
  /** `http://127.0.0.1:<port>`: every service answers there. */
  readonly endpoint: string
  readonly pid: number
  stop(): Promise<void>
}

export interface MinistackOptions {
  /** 0: any free one. */
  readonly port: number
  /** True: it goes on when this process ends; end it by its pid. */
  readonly isDetached?: boolean
}

/** Install once; needs Python 3.10 or newer with `venv`. */
async function install(): Promise<string> {
  const folder = join(root, '.backstop', `ministack-${MINISTACK_VERSION}`)
  const program = join(folder, 'bin', 'ministack')
  if (existsSync(program)) return program
  await mkdir(dirname(folder), { recursive: true })
  try {
    await run('python3', ['-m', 'venv', folder])
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', `ministack==${MINISTACK_VERSION}`])
  } catch (error) {
    throw new Error(
      'MiniStack cannot be installed. It needs python3 with venv (Debian: apt-get install python3-venv) and PyPI. ' +
        'Or run LocalStack, see localstack/compose.yaml.',
      { cause: error },
    )
  }
  return program
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function untilReady(endpoint: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + STARTS_WITHIN_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`MiniStack ended at once with exit code ${child.exitCode}.`)
    const isReady = await fetch(`${endpoint}/_ministack/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (isReady) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('MiniStack did not answer in time.')
}

/**
 * Functions run on the first `node` of the path: the project's own. Without NODE_PATH, custom resources that import the
 * SDK hang.
 */
function environmentFor(port: number): NodeJS.ProcessEnv {
  const modules = join(root, 'node_modules')
  return {
    ...process.env,
    GATEWAY_PORT: String(port),
    MINISTACK_HOST: '127.0.0.1',
    PATH: `${join(modules, '.bin')}:${process.env['PATH'] ?? ''}`,
    NODE_PATH: modules,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  }
}

/** Start with empty state. Throws when it cannot be installed or does not answer. */
export async function startMinistack(options: MinistackOptions): Promise<Ministack> {
  const program = await install()
  const port = options.port === 0 ? await freePort() : options.port
  const child = spawn(program, [], {
    env: environmentFor(port),
    stdio: 'ignore',
    detached: options.isDetached ?? false,
  })
  const endpoint = `http://127.0.0.1:${port}`
  try {
    await untilReady(endpoint, child)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  if (options.isDetached) child.unref()
  return { endpoint, pid: child.pid as number, stop: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}
