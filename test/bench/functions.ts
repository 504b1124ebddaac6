/** How large each function's bundle is, and how long a fresh process takes to import it. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Bundle, buildFunctions } from '#functions/build.ts'
import { type BenchReport, quantile } from './report.ts'

const ROUNDS = 7
const KIB = 1_024
const run = promisify(execFile)

/** What Lambda and the stack would set; nothing of it is reached while a bundle is imported. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  AWS_REGION: 'eu-central-1',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  BACKSTOP_ENVIRONMENT: 'bench',
  BACKSTOP_TABLE: 'backstop',
}

interface Started {
  readonly importMs: number
  readonly processMs: number
}

/** One fresh process; `importMs` is measured inside of it. */
async function start(script: string): Promise<Started> {
  const startedMs = performance.now()
  const { stdout } = await run(process.execPath, [script], { env: ENVIRONMENT })
  return { importMs: Number(stdout), processMs: performance.now() - startedMs }
}

async function writeScript(folder: string, name: string, body: string): Promise<string> {
  const path = join(folder, `${name}.mjs`)
  await writeFile(
    path,
    `const startedMs = performance.now()\n${body}\nprocess.stdout.write(String(performance.now() - startedMs))\n`,
  )
  return path
}

const importing = ({ folder }: Bundle) =>
  `await import(${JSON.stringify(pathToFileURL(join(folder, 'index.mjs')).href)})`

/** All in turn, round by round, so that a busy moment of the machine falls on all of them. */
async function measure(scripts: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Started>> {
  const samples = new Map<string, Started[]>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, script] of scripts) samples.set(name, [...(samples.get(name) ?? []), await start(script)])
  }
  const median = (values: readonly number[]) => quantile(values, 0.5)
  return new Map(
    [...samples].map(([name, taken]) => [
      name,
      {
        importMs: median(taken.map(({ importMs }) => importMs)),
        processMs: median(taken.map(({ processMs }) => processMs)),
      },
    ]),
  )
}

export async function benchFunctions(): Promise<BenchReport> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-bench-'))
  try {
    const bundles = await buildFunctions({ folder })
    const scripts = new Map([['empty', await writeScript(folder, 'empty', '')]])
    for (const bundle of bundles) scripts.set(bundle.name, await writeScript(folder, bundle.name, importing(bundle)))
    const started = await measure(scripts)
    const emptyMs = started.get('empty')?.processMs ?? Number.NaN
    const rows = bundles.map(({ name, sizeBytes, zippedBytes }) => {
      const { importMs, processMs } = started.get(name) as Started
      const ratio = `${(processMs / emptyMs).toFixed(1)} ×`
      return [name, (sizeBytes / KIB).toFixed(0), (zippedBytes / KIB).toFixed(0), importMs.toFixed(0), ratio]
    })
    const columns = ['function', 'KiB', 'KiB zipped', 'init, ms', 'of an empty process']
    return {
      name: `functions: size, and the median of ${ROUNDS} imports in a fresh process`,
      figures: [{ what: 'an empty process', value: emptyMs, unit: 'ms' }],
      skipped: [],
      tables: [{ title: 'Each function', columns, rows }],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
