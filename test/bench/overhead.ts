/** What the gate adds to a SAFE query: against `pg` directly, and against dbhub read-only over stdio, in the same run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { measure, overHttp, type Query, startProduct } from './contest.ts'
import { DBHUB_VERSION, installDbhub, type Peer, startDbhub } from './peer-dbhub.ts'
import { type BenchReport, type Figure, quantile } from './report.ts'

const SEED = `CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2));
INSERT INTO items SELECT i, 'item ' || i, i * 1.1 FROM generate_series(1, 10000) i; ANALYZE items`
const SQL = 'SELECT id, name, price FROM items WHERE id BETWEEN 100 AND 109'
const CLIENTS = [1, 8]

async function openPeer(url: string, peersFolder: string): Promise<Peer | string> {
  const program = installDbhub(peersFolder)
  if (program === undefined) return 'it could not be installed from the registry'
  try {
    return await startDbhub(program, peersFolder, url)
  } catch (error) {
    return `it did not start: ${String(error)}`
  }
}

function figuresOf(samples: ReadonlyMap<string, readonly number[]>, clients: number): readonly Figure[] {
  const direct = samples.get('pg directly') ?? []
  return [...samples].flatMap(([name, taken]) =>
    [0.5, 0.95].map((p): Figure => {
      const value = quantile(taken, p)
      const base = quantile(direct, p)
      return {
        what: `${name}, ${clients} client${clients === 1 ? '' : 's'}, p${p * 100}`,
        value,
        unit: 'ms',
        ...(name === 'pg directly'
          ? {}
          : { ratio: { of: 'pg', value: value / base }, note: `adds ${(value - base).toFixed(3)} ms` }),
      }
    }),
  )
}

/** Run it; `perRound` queries per contender and round. */
export async function benchOverhead(peersFolder: string, rounds = 8, perRound = 400): Promise<BenchReport> {
  const cluster = await startCluster({ settings: { fsync: 'on' } })
  const folder = await mkdtemp(join(tmpdir(), 'backstop-bench-'))
  const url = cluster.urlFor('postgres')
  const pool = new pg.Pool({ connectionString: url, max: 8 })
  pool.on('error', () => {})
  await pool.query(SEED)
  const product = await startProduct(url, folder)
  const peer = await openPeer(url, peersFolder)
  try {
    const contenders = new Map<string, Query>([
      ['pg directly', async () => void (await pool.query({ text: SQL, queryMode: 'extended' } as pg.QueryConfig))],
      ['backstop over HTTP, audited', overHttp(product.url, () => SQL, '"row_count":10')],
    ])
    if (typeof peer !== 'string') contenders.set(`dbhub ${DBHUB_VERSION} read-only, stdio`, () => peer.query(SQL))
    const figures: Figure[] = []
    for (const clients of CLIENTS)
      figures.push(...figuresOf(await measure(contenders, clients, rounds, perRound), clients))
    return {
      name: 'added latency of a SAFE query',
      figures,
      skipped: typeof peer === 'string' ? [{ what: 'dbhub', reason: peer }] : [],
    }
  } finally {
    if (typeof peer !== 'string') await peer.stop()
    await product.stop()
    await pool.end()
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
