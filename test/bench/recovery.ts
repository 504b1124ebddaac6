/** Capture and restore of a large table against pg_dump -Fc and pg_restore of it, in the same run on the same server. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cluster } from '#lib/adapters/embedded/index.ts'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { type BenchReport, type Figure, quantile } from './report.ts'

interface RecoveryFigure {
  readonly what: string
  /** Best of the rounds, from the start of the process to its end. */
  readonly ms: number
  /** Best of the rounds without the start of the process, where it tells. */
  readonly workMs?: number
  readonly medianMs: number
  readonly rssMiB: number
  readonly sizeMiB?: number
}

interface RecoveryBench {
  readonly server: string
  readonly rowCount: number
  readonly tableMiB: number
  readonly rounds: number
  readonly figures: readonly RecoveryFigure[]
  /** Ours through theirs, below 1 is faster. Absent without pg_dump. */
  readonly captureRatio?: Ratio
  readonly restoreRatio?: Ratio
}

/** Of neighbours in time: each round's own run through its peer's, so that a busy moment weighs on both. */
interface Ratio {
  readonly median: number
  readonly perRound: readonly number[]
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

/** How libpq is told of a database: arguments can be read by every user of the machine, the environment cannot. */
function libpqEnvironment(url: string): NodeJS.ProcessEnv {
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

/** Run a program of PostgreSQL to its end; its peak memory is read from the kernel while it runs. */
async function measureProgram(program: string, args: readonly string[], url: string): Promise<Measured> {
  const startMs = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: libpqEnvironment(url) })
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

/** The wall time of the whole process counts for both sides; ours reports its own peak, and caches its code as the command does. */
async function measureOurs(work: string, folder: string, url: string): Promise<Measured> {
  const startMs = performance.now()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', WORK, work, folder, 'big'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BACKSTOP_DB_URL: url, NODE_COMPILE_CACHE: join(folder, 'compile-cache') },
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${work} ended with code ${code}`)
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

function ratioOf(ours: readonly Measured[], theirs: readonly Measured[]): Ratio {
  const perRound = ours.map(({ ms }, round) => ms / (theirs[round]?.ms ?? Number.NaN))
  return { median: quantile(perRound, 0.5), perRound }
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
  runs.copy.push(await measureOurs('copy', folder, url))
  runs.capture.push(await measureOurs('capture', folder, url))
  if (tools !== undefined) {
    runs.dump.push(await measureProgram(join(tools, 'pg_dump'), ['-Fc', '-t', 'big', '-f', dumpFile], url))
  }
  await runSql(url, 'CHECKPOINT')
  runs.restore.push(await measureOurs('restore', folder, url))
  await runSql(url, 'DROP TABLE big_recovered; CHECKPOINT')
  if (tools === undefined) return
  await runSql(url, 'CREATE DATABASE scratch')
  const pgRestore = join(tools, 'pg_restore')
  runs.pgRestore.push(await measureProgram(pgRestore, ['-d', 'scratch', dumpFile], cluster.urlFor('scratch')))
  await runSql(url, 'DROP DATABASE scratch; CHECKPOINT')
}

/** Run the benchmark and return its figures. The server is the system's where that has pg_dump, else the embedded one. */
async function benchRecovery(options: { rowCount?: number; rounds?: number } = {}): Promise<RecoveryBench> {
  const { rowCount = 1_000_000, rounds = 5 } = options
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
    captureRatio: ratioOf(runs.capture, runs.dump),
    restoreRatio: ratioOf(runs.restore, runs.pgRestore),
  }
}

/** The figures in the form of the other benchmarks: the best run of each, the ratio of the median round. */
export async function benchRecoveryReport(): Promise<BenchReport> {
  const bench = await benchRecovery()
  const peers: Readonly<Record<string, { of: string; ratio: Ratio | undefined }>> = {
    [CAPTURE]: { of: 'pg_dump -Fc', ratio: bench.captureRatio },
    [RESTORE]: { of: 'pg_restore', ratio: bench.restoreRatio },
  }
  const figures = bench.figures.map((found): Figure => {
    const { of = '', ratio } = peers[found.what] ?? {}
    const base = { what: found.what, value: found.ms / 1000, unit: 's', note: noteOf(found, ratio) }
    return ratio === undefined ? base : { ...base, ratio: { of, value: ratio.median } }
  })
  const hasPeer = bench.captureRatio !== undefined
  const skipped = hasPeer ? [] : [{ what: 'pg_dump and pg_restore', reason: 'they are not installed' }]
  return {
    name: `recovery (${bench.rowCount} rows, ${bench.tableMiB.toFixed(0)} MiB, ${bench.server}, best of ${bench.rounds} rounds)`,
    figures,
    skipped,
  }
}

function noteOf({ rssMiB, medianMs, workMs, sizeMiB }: RecoveryFigure, ratio: Ratio | undefined): string {
  const facts = [`peak ${rssMiB.toFixed(0)} MiB`, `median ${(medianMs / 1000).toFixed(2)} s`]
  if (workMs !== undefined) facts.push(`${(workMs / 1000).toFixed(2)} s without the start of the process`)
  if (sizeMiB !== undefined) facts.push(`${sizeMiB.toFixed(1)} MiB on disk`)
  if (ratio !== undefined) facts.push(`rounds ${ratio.perRound.map((value) => value.toFixed(2)).join(' ')}`)
  return facts.join(', ')
}
