/** What a background capture does to the reads beside it: against a gateway that captures nothing, at the same moment on the same machine. */
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { overHttp, type ProductProcess, type Query, startProduct } from './contest.ts'
import { SHAPES } from './recovery/shapes.ts'
import { type BenchReport, type Figure, quantile } from './report.ts'

export interface BesideOptions {
  /** 3 million when absent. */
  readonly rowCount?: number
  /** Captures of each contender; three when absent. */
  readonly rounds?: number
}

interface Way {
  readonly name: string
  readonly settings: Readonly<Record<string, string>>
}

/** Ways to capture; each has a table and a process of its own. */
const WAYS: readonly Way[] = [
  { name: 'in line', settings: { BACKSTOP_CAPTURE_THREAD_MEGABYTES: '0' } },
  { name: 'by a thread', settings: {} },
]

const ITEMS = `CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2));
INSERT INTO items SELECT i, 'item ' || i, i * 1.1 FROM generate_series(1, 10000) i; ANALYZE items`
const READ = 'SELECT id, name, price FROM items WHERE id BETWEEN 100 AND 109'
const EXPECTED = '"row_count":10'
const QUIET_READS = 1_000
/** A point is old after a second, so that each change is captured at once. */
const POLICY = JSON.stringify({ max_snapshot_age_seconds: 1 })

interface Samples {
  readonly own: number[]
  readonly other: number[]
}

interface Contender extends Way {
  readonly table: string
  readonly folder: string
  readonly product: ProductProcess
  readonly read: Query
  readonly quiet: Samples
  readonly busy: Samples
  readonly captureMs: number[]
  /** Of its process, while it captured. */
  readonly residentMiB: number[]
}

/** Manifests of a storage: one for each point. */
function countPoints(folder: string): number {
  return readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('manifest.json')).length
}

/** What the process has in memory now: its peak would be that of the parser, which is compiled during the first reads. */
function residentMiB(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return Number.NaN
  }
}

async function timed(query: Query): Promise<number> {
  const startedMs = performance.now()
  await query()
  return performance.now() - startedMs
}

/** The gateway and the other one in turn, so that what else the machine does weighs on both. */
async function readBoth(samples: Samples, own: Query, other: Query): Promise<void> {
  samples.own.push(await timed(own))
  samples.other.push(await timed(other))
}

/** Change the table, and read until its point is there. False: it was over before anybody saw it. */
async function captureBeside(one: Contender, other: Query, pool: pg.Pool): Promise<boolean> {
  const storage = join(one.folder, 'data', 'storage')
  const before = countPoints(storage)
  const isOver = () => countPoints(storage) > before
  const isCopying = async () => {
    const { rows } = await pool.query(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%${one.table}%' LIMIT 1`)
    return rows.length > 0
  }
  await pool.query(`UPDATE ${one.table} SET id = id WHERE id = 1`)
  while (!(await isCopying())) {
    if (isOver()) return false
    await delay(10)
  }
  const startedMs = performance.now()
  for (let turn = 1; turn % 20 !== 0 || !isOver(); turn += 1) {
    await readBoth(one.busy, one.read, other)
    one.residentMiB.push(residentMiB(one.product.pid))
  }
  one.captureMs.push(performance.now() - startedMs)
  return true
}

function figuresOf({ name, quiet, busy, captureMs, residentMiB }: Contender): readonly Figure[] {
  const at = (samples: readonly number[], p: number) => (p === 1 ? Math.max(...samples) : quantile(samples, p))
  const figures = [0.5, 0.95, 0.99, 1].flatMap((p): Figure[] => {
    const label = p === 1 ? 'max' : `p${p * 100}`
    const beside = at(busy.other, p)
    const value = at(busy.own, p)
    return [
      { what: `${name}: read with no capture, ${label}`, value: at(quiet.own, p), unit: 'ms' },
      {
        what: `${name}: read while it captures, ${label}`,
        value,
        unit: 'ms',
        ratio: { of: 'a gateway beside it', value: value / beside },
        note: `beside ${beside.toFixed(2)} ms, ${(value / at(quiet.own, p)).toFixed(2)} × quiet`,
      },
    ]
  })
  return [
    ...figures,
    { what: `${name}: capture`, value: quantile(captureMs, 0.5) / 1000, unit: 's', note: `${busy.own.length} reads` },
    { what: `${name}: most memory while it captures`, value: Math.max(...residentMiB), unit: 'MiB' },
  ]
}

export async function benchBeside({ rowCount = 3_000_000, rounds = 3 }: BesideOptions = {}): Promise<BenchReport> {
  const cluster = await startCluster({ settings: { shared_buffers: '512MB', max_wal_size: '16GB' } })
  const folder = await mkdtemp(join(tmpdir(), 'backstop-bench-beside-'))
  const url = cluster.urlFor('postgres')
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {})
  const policy = join(folder, 'policy.json')
  await writeFile(policy, POLICY)
  await pool.query(ITEMS)
  const products: ProductProcess[] = []
  const start = async (name: string, tables: string, settings: Readonly<Record<string, string>>) => {
    const own = { BACKSTOP_SNAPSHOT_TABLES: tables, BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '1', BACKSTOP_POLICY: policy }
    const product = await startProduct(url, join(folder, name), { ...own, ...settings })
    products.push(product)
    return product
  }
  try {
    const quietOne = await start('quiet', 'public.none', {})
    const other = overHttp(quietOne.url, () => READ, EXPECTED)
    const contenders: Contender[] = []
    for (const [index, way] of WAYS.entries()) {
      const table = `big_${index}`
      const product = await start(table, `public.${table}`, way.settings)
      const read = overHttp(product.url, () => READ, EXPECTED)
      const samples = { quiet: { own: [], other: [] }, busy: { own: [], other: [] }, captureMs: [], residentMiB: [] }
      contenders.push({ ...way, ...samples, table, folder: join(folder, table), product, read })
    }
    for (const one of contenders) {
      for (let turn = 0; turn < QUIET_READS; turn += 1) {
        const samples = turn < QUIET_READS / 5 ? { own: [], other: [] } : one.quiet
        await readBoth(samples, one.read, other)
      }
    }
    for (const one of contenders) {
      for (const sql of SHAPES[0]?.seed(rowCount) ?? []) await pool.query(sql)
      await pool.query(`ALTER TABLE big RENAME TO ${one.table}`)
      while (countPoints(join(one.folder, 'data', 'storage')) === 0) await delay(100)
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const one of contenders) {
        while (!(await captureBeside(one, other, pool)));
      }
    }
    return {
      name: `reads beside a capture of ${rowCount.toLocaleString('en')} narrow rows`,
      figures: contenders.flatMap(figuresOf),
      skipped: [],
    }
  } finally {
    for (const product of products) await product.stop()
    await pool.end()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
