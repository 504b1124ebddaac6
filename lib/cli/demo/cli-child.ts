/** Runs the real command line as a child process, as a person would. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CliAnswer } from './model.ts'

const PROGRAM = fileURLToPath(new URL('../../../bin/backstop.ts', import.meta.url))

export interface ChildSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** With --json. Throws when it cannot be started, is aborted, or does not print JSON. */
export async function runCliChild(
  args: readonly string[],
  { environment, signal }: ChildSurroundings,
): Promise<CliAnswer> {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'], {
    env: environment as NodeJS.ProcessEnv,
    signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
  try {
    return { exitCode, data: JSON.parse(output) as CliAnswer['data'] }
  } catch {
    throw new Error(`backstop ${args.join(' ')} printed no JSON (exit ${exitCode}): ${complaint.slice(-500)}`)
  }
}
