/** Programs as whole processes: their time, and their peak memory as the kernel saw it. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Run } from './model.ts'

const RSS_POLL_MS = 10

/** How libpq is told of a database: arguments can be read by every user of the machine, the environment cannot. */
export function libpqEnvironment(url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname } = new URL(url)
  return {
    ...process.env,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
  }
}

export interface Program {
  readonly path: string
  readonly args: readonly string[]
  readonly environment: NodeJS.ProcessEnv
}

/** Run to the end; resolves with what it printed, too. */
export async function runProgram({ path, args, environment }: Program): Promise<Run & { readonly output: string }> {
  const startMs = performance.now()
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'], env: environment })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  let rssKiB = 0
  const poll = setInterval(() => {
    rssKiB = Math.max(rssKiB, peakKiB(child.pid))
  }, RSS_POLL_MS)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(poll)
  if (code !== 0) throw new Error(`${path} ended with code ${code}`)
  return { ms: performance.now() - startMs, rssMiB: rssKiB / 1024, output }
}

function peakKiB(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Of all files under the folder with this ending. */
export function bytesUnder(folder: string, ending: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
