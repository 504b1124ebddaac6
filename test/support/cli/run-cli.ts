/** Runs the real command line as a child process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../../bin/backstop.ts', import.meta.url))

export interface CliEnd {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcess
  readonly end: Promise<CliEnd>
  stdout(): string
  stderr(): string
}

type Environment = Readonly<Record<string, string | undefined>>

/** Nothing of the tests' own surroundings that would change what the command does. */
function cleanEnvironment(extra: Environment): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(BACKSTOP_|NO_COLOR$|FORCE_COLOR$|VITEST)/.test(name))
  return { ...Object.fromEntries(kept), ...extra }
}

export function startCli(args: readonly string[], environment: Environment = {}): RunningCli {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: cleanEnvironment(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const end = new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
  return { child, end, stdout: () => stdout, stderr: () => stderr }
}

export function runCliProcess(args: readonly string[], environment: Environment = {}): Promise<CliEnd> {
  return startCli(args, environment).end
}

/** The parsed answer of a command with --json. */
export async function runCliJson(args: readonly string[], environment: Environment = {}) {
  const { exitCode, stdout, stderr } = await runCliProcess([...args, '--json'], environment)
  try {
    return { exitCode, data: JSON.parse(stdout) }
  } catch {
    throw new Error(`no JSON from backstop ${args.join(' ')} (exit ${exitCode}): ${stdout}${stderr}`)
  }
}

export interface TemporaryFolder {
  readonly path: string
  list(): readonly string[]
  remove(): void
}

/** One that the unprivileged server may pass through. */
export function makeTemporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'backstop-cli-test-'))
  chmodSync(path, 0o711)
  return { path, list: () => readdirSync(path), remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Ids of processes whose command line names the text. Linux. */
export function processesNaming(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .filter((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(text)
      } catch {
        return false
      }
    })
    .map(Number)
}
