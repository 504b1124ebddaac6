/** Capture and restore of a large table against pg_dump -Fc and pg_restore of it, in the same run on the same server. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cluster } from '#lib/adapters/embedded/index.ts'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { BenchReport, Figure } from './report.ts'

export interface RecoveryFigure {
  readonly what: string
  /** Best of the rounds, from the start of the process to its end. */
  readonly ms: number
  /** Best of the rounds without the start of the process, where it tells. */
  readonly workMs?: number
  readonly medianMs: number
  readonly rssMiB: number
  readonly sizeMiB?: number
}

export interface RecoveryBench {
  readonly server: string
  readonly rowCount: number
  readonly tableMiB: number
  readonly rounds: number
  readonly figures: readonly RecoveryFigure[]
  /** Ours through theirs: below 1 is faster. Absent without pg_dump. */
  readonly captureRatio?: number
  readonly restoreRatio?: number
}

const CAPTURE = 'capture: COPY, Parquet, digest, read back'
const RESTORE = 'restore: verify, COPY, digest, rebuild'
const WORK = fileURLToPath(new URL('./recovery-work.ts', import.meta.url))
const RSS_POLL_MS = 10
const MIB = 1024 * 1024
const SYSTEM_ROOT = '/usr/lib/postgresql'

interface Measured {
  readonly ms: number
  readonly workMs?: number
  readonly rssMiB: number
}

/** Binaries of the system with pg_dump, newest version first. */
function findSystemBinaries(): string | undefined {
  if (!existsSync(SYSTEM_ROOT)) return undefined
  const folders = readdirSync(SYSTEM_ROOT).sort((left, right) => Number(right) - Number(left))
  return folders
    .map((version) => join(SYSTEM_ROOT, version, 'bin'))
    .find((folder) => ['postgres', 'pg_dump', 'pg_restore'].every((tool) => existsSync(join(folder, tool))))
}

/** Run a program to its end; its peak memory is read from the kernel while it runs. */
async function measureProgram(program: string, args: readonly string[]): Promise<Measured> {
  const startMs = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  let rssKiB = 0
  const poll = setInterval(() => {
    rssKiB = Math.max(rssKiB, peakKiB(child.pid))
  }, RSS_POLL_MS)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(poll)
  if (code !== 0) throw new Error(`${program} ended with code ${code}`)
  return { ms: performance.now() - startMs, rssMiB: rssKiB / 1024 }
}

function peakKiB(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** The wall time of the whole process counts for both sides; ours reports its own peak. */
async function measureOurs(args: readonly string[]): Promise<Measured> {
  const startMs = performance.now()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORK, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${args[0]} ended with code ${code}`)
  const { ms: workMs, rssMiB } = JSON.parse(output) as Measured
  return { ms: performance.now() - startMs, workMs, rssMiB }
}

const seed = (rowCount: number) => `
  CREATE TABLE big (id bigint, customer integer, name text, amount numeric(12,2), created_at timestamptz, active boolean, note text);
  INSERT INTO big SELECT i, i % 1000, 'customer ' || md5(i::text), i * 1.37, timestamptz '2024-01-01 00:00+00' + i * interval '1 second',
    i % 3 = 0, repeat(md5((i * 7)::text), 2) FROM generate_series(1, ${rowCount}) i;
  ALTER TABLE big ADD PRIMARY KEY (id); VACUUM ANALYZE big; CHECKPOINT`

async function runSql(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const database = openPostgres({ url })
  try {
    return await database.withDedicatedSession(async (session) => {
      const statements = sql.split(';').filter((statement) => statement.trim() !== '')
      for (const statement of statements.slice(0, -1)) await session.execute(statement)
      return await session.query(statements.at(-1) ?? 'SELECT 1')
    })
  } finally {
    await database.close()
  }
}

function figure(what: string, runs: readonly Measured[], sizeBytes?: number): RecoveryFigure {
  const workTimes = runs.flatMap(({ workMs }) => (workMs === undefined ? [] : [workMs]))
  const times = runs.map(({ ms }) => ms).sort((left, right) => left - right)
  const base = {
    what,
    ms: times[0] ?? Number.NaN,
    medianMs: times[Math.floor(times.length / 2)] ?? Number.NaN,
    rssMiB: Math.max(...runs.map(({ rssMiB }) => rssMiB)),
    ...(workTimes.length === 0 ? {} : { workMs: Math.min(...workTimes) }),
  }
  return sizeBytes === undefined ? base : { ...base, sizeMiB: sizeBytes / MIB }
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.parquet'))
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

interface Runs {
  readonly copy: Measured[]
  readonly capture: Measured[]
  readonly dump: Measured[]
  readonly restore: Measured[]
  readonly pgRestore: Measured[]
}

/** One round of each, one after the other, so that both sides meet the same moods of the machine. */
async function runRound(cluster: Cluster, folder: string, tools: string | undefined, runs: Runs): Promise<void> {
  const url = cluster.urlFor('postgres')
  const dumpFile = join(folder, 'big.dump')
  rmSync(join(folder, 'objects'), { recursive: true, force: true })
  runs.copy.push(await measureOurs(['copy', url, folder, 'big']))
  runs.capture.push(await measureOurs(['capture', url, folder, 'big']))
  if (tools !== undefined) {
    runs.dump.push(await measureProgram(join(tools, 'pg_dump'), ['-Fc', '-t', 'big', '-f', dumpFile, '-d', url]))
  }
  await runSql(url, 'CHECKPOINT')
  runs.restore.push(await measureOurs(['restore', url, folder, 'big']))
  await runSql(url, 'DROP TABLE big_recovered; CHECKPOINT')
  if (tools === undefined) return
  await runSql(url, 'CREATE DATABASE scratch')
  runs.pgRestore.push(await measureProgram(join(tools, 'pg_restore'), ['-d', cluster.urlFor('scratch'), dumpFile]))
  await runSql(url, 'DROP DATABASE scratch; CHECKPOINT')
}

/** Run the benchmark and return its figures. The server is the system's where that has pg_dump, else the embedded one. */
export async function benchRecovery(options: { rowCount?: number; rounds?: number } = {}): Promise<RecoveryBench> {
  const { rowCount = 1_000_000, rounds = 3 } = options
  const tools = findSystemBinaries()
  const settings = { shared_buffers: '256MB', max_wal_size: '4GB' }
  const cluster = await startCluster(tools === undefined ? { settings } : { binFolder: tools, settings })
  const folder = mkdtempSync(join(tmpdir(), 'backstop-bench-'))
  const runs: Runs = { copy: [], capture: [], dump: [], restore: [], pgRestore: [] }
  try {
    const url = cluster.urlFor('postgres')
    await runSql(url, seed(rowCount))
    const about = await runSql(
      url,
      `SELECT current_setting('server_version') AS version, pg_table_size('big')::bigint::text AS size`,
    )
    for (let round = 0; round < rounds; round += 1) await runRound(cluster, folder, tools, runs)
    const dumpBytes = tools === undefined ? 0 : statSync(join(folder, 'big.dump')).size
    return report({ runs, rowCount, rounds, about: about[0] ?? {}, tools, partBytes: folderBytes(folder), dumpBytes })
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface ReportFacts {
  readonly runs: Runs
  readonly rowCount: number
  readonly rounds: number
  readonly about: Record<string, unknown>
  readonly tools: string | undefined
  readonly partBytes: number
  readonly dumpBytes: number
}

function report({ runs, rowCount, rounds, about, tools, partBytes, dumpBytes }: ReportFacts): RecoveryBench {
  const capture = figure(CAPTURE, runs.capture, partBytes)
  const restore = figure(RESTORE, runs.restore)
  const base = {
    server: `PostgreSQL ${String(about['version'])}, ${tools === undefined ? 'embedded' : 'of the system'}, fsync off`,
    rowCount,
    tableMiB: Number(about['size']) / MIB,
    rounds,
  }
  const floor = figure('COPY binary, read and dropped', runs.copy)
  if (tools === undefined) return { ...base, figures: [floor, capture, restore] }
  const dump = figure('pg_dump -Fc', runs.dump, dumpBytes)
  const pgRestore = figure('pg_restore', runs.pgRestore)
  return {
    ...base,
    figures: [floor, capture, dump, restore, pgRestore],
    captureRatio: capture.ms / dump.ms,
    restoreRatio: restore.ms / pgRestore.ms,
  }
}

/** The figures in the form of the other benchmarks. */
export async function benchRecoveryReport(): Promise<BenchReport> {
  const bench = await benchRecovery()
  const ratios: Readonly<Record<string, Figure['ratio']>> = {
    [CAPTURE]: bench.captureRatio === undefined ? undefined : { of: 'pg_dump -Fc', value: bench.captureRatio },
    [RESTORE]: bench.restoreRatio === undefined ? undefined : { of: 'pg_restore', value: bench.restoreRatio },
  }
  const figures = bench.figures.map(({ what, ms, workMs, rssMiB, sizeMiB }): Figure => {
    const size = sizeMiB === undefined ? '' : `, ${sizeMiB.toFixed(1)} MiB on disk`
    const work = workMs === undefined ? '' : `, ${(workMs / 1000).toFixed(2)} s without the start of the process`
    const ratio = ratios[what]
    const base = { what, value: ms / 1000, unit: 's', note: `peak ${rssMiB.toFixed(0)} MiB${size}${work}` }
    return ratio === undefined ? base : { ...base, ratio }
  })
  const hasPeer = bench.captureRatio !== undefined
  const skipped = hasPeer ? [] : [{ what: 'pg_dump and pg_restore', reason: 'they are not installed' }]
  return {
    name: `recovery (${bench.rowCount} rows, ${bench.tableMiB.toFixed(0)} MiB, ${bench.server})`,
    figures,
    skipped,
  }
}

/** The figures as lines of text. */
export function formatRecoveryBench(bench: RecoveryBench): string {
  const lines = [
    `${bench.rowCount} rows, ${bench.tableMiB.toFixed(0)} MiB; ${bench.server}; best of ${bench.rounds}, processes included`,
    `${'work'.padEnd(44)}${'best s'.padStart(8)}${'median s'.padStart(10)}${'work s'.padStart(8)}${'peak MiB'.padStart(10)}${'size MiB'.padStart(10)}`,
    ...bench.figures.map(
      ({ what, ms, medianMs, workMs, rssMiB, sizeMiB }) =>
        what.padEnd(44) +
        (ms / 1000).toFixed(2).padStart(8) +
        (medianMs / 1000).toFixed(2).padStart(10) +
        (workMs === undefined ? '' : (workMs / 1000).toFixed(2)).padStart(8) +
        rssMiB.toFixed(0).padStart(10) +
        (sizeMiB?.toFixed(1) ?? '').padStart(10),
    ),
  ]
  if (bench.captureRatio === undefined || bench.restoreRatio === undefined) {
    return [...lines, 'pg_dump and pg_restore are not installed: nothing to compare with'].join('\n')
  }
  lines.push(
    `capture / pg_dump -Fc: ${bench.captureRatio.toFixed(2)}; restore / pg_restore: ${bench.restoreRatio.toFixed(2)}`,
  )
  return lines.join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bench = await benchRecovery()
  process.stdout.write(
    `${process.argv.includes('--json') ? JSON.stringify(bench, null, 2) : formatRecoveryBench(bench)}\n`,
  )
}
