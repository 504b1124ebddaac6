/** Reads the commands out of a runbook and runs them in a shell, word for word. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export interface RunbookStep {
  readonly script: string
  /** `sh exit=1` says that it fails. */
  readonly exitCode: number
}

/** The fenced shell blocks in order. */
export function readRunbook(name: string): readonly RunbookStep[] {
  return readPage(`runbooks/${name}.md`)
}

/** Of any page below docs. */
export function readPage(path: string): readonly RunbookStep[] {
  return parseRunbook(readFileSync(join(ROOT, 'docs', path), 'utf8'))
}

export function parseRunbook(text: string): readonly RunbookStep[] {
  return [...text.matchAll(/^```sh(?: exit=(\d+))?\n(.*?)^```$/gms)].map(([, exit = '0', script = '']) => ({
    script,
    exitCode: Number(exit),
  }))
}

/** A folder for PATH: `backstop` of this tree, and what a machine may lack. */
export function makeBin(folder: string): string {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  for (const [name, program] of [
    ['backstop', 'bin/backstop.ts'],
    ['psql', 'test/support/pages/psql.ts'],
    ['curl', 'test/support/pages/curl.ts'],
  ] as const) {
    const path = join(bin, name)
    writeFileSync(path, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, program)}" "$@"\n`)
    chmodSync(path, 0o755)
  }
  return bin
}

export interface StepEnd {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export function runStep(script: string, cwd: string, bin: string, environment: Readonly<Record<string, string>>) {
  const env = { ...environment, HOME: cwd, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }
  const child = spawn('/bin/sh', ['-eu', '-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  return new Promise<StepEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}
