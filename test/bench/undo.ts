/** What keeping the rows that a write changes adds to it: the same UPDATE of one row with undo off and on, in the same run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { measure, overHttp, type Query, startProduct } from './contest.ts'
import { type BenchReport, type Figure, quantile } from './report.ts'

const TABLES = [
  { name: 'small', rowCount: 1_000 },
  { name: 'larger', rowCount: 100_000 },
  { name: 'large', rowCount: 2_000_000 },
] as const
const ROUNDS = 6
const PER_ROUND = 30

const seedOf = ({ name, rowCount }: (typeof TABLES)[number]) =>
  `CREATE TABLE ${name} (id int PRIMARY KEY, note text, price numeric(12,2));
   INSERT INTO ${name} SELECT i, repeat('x', 90), i FROM generate_series(1, ${rowCount}) i; ANALYZE ${name};`

/** Another row each time. */
function updatesOf(table: string, rowCount: number): () => string {
  let turn = 0
  return () => `UPDATE ${table} SET price = price + 1 WHERE id = ${1 + ((turn++ * 7) % rowCount)}`
}

async function sizeKiB(pool: pg.Pool, table: string): Promise<number> {
  const { rows } = await pool.query('SELECT pg_table_size($1::regclass) / 1024 AS kib', [table])
  return Number(rows[0]?.kib)
}

function figuresOf(table: string, kib: number, samples: ReadonlyMap<string, readonly number[]>): readonly Figure[] {
  const base = quantile(samples.get('undo off') ?? [], 0.5)
  return [...samples].map(([name, taken]): Figure => {
    const value = quantile(taken, 0.5)
    const ratio = name === 'undo on' ? { ratio: { of: 'undo off', value: value / base } } : {}
    const note = name === 'undo on' ? { note: `adds ${(value - base).toFixed(1)} ms` } : {}
    return { what: `${table} (${kib.toLocaleString('en')} KiB): ${name}, p50`, value, unit: 'ms', ...ratio, ...note }
  })
}

export async function benchUndo(): Promise<BenchReport> {
  const cluster = await startCluster({ settings: { fsync: 'on', max_connections: '100' } })
  const folder = await mkdtemp(join(tmpdir(), 'backstop-bench-undo-'))
  const url = cluster.urlFor('postgres')
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  pool.on('error', () => {})
  for (const table of TABLES) await pool.query(seedOf(table))
  // Background captures would be measured with them.
  const quiet = { BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '86400' }
  const off = await startProduct(url, join(folder, 'off'), { ...quiet, BACKSTOP_UNDO: 'off' })
  const on = await startProduct(url, join(folder, 'on'), { ...quiet, BACKSTOP_UNDO: 'all' })
  const figures: Figure[] = []
  try {
    for (const { name, rowCount } of TABLES) {
      const next = updatesOf(name, rowCount)
      const contenders = new Map<string, Query>([
        ['pg directly', async () => void (await pool.query(next()))],
        ['undo off', overHttp(off.url, next, '"status":"executed"')],
        ['undo on', overHttp(on.url, next, '"available":true')],
      ])
      figures.push(...figuresOf(name, await sizeKiB(pool, name), await measure(contenders, 1, ROUNDS, PER_ROUND)))
    }
    return { name: 'undo: an UPDATE of one row by its key', figures, skipped: [] }
  } finally {
    await Promise.all([off.stop(), on.stop()])
    await pool.end()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
