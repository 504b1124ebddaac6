/** What the gate adds to a SAFE query: against `pg` directly, and against dbhub read-only over stdio, in the same run. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { DBHUB_VERSION, installDbhub, type Peer, startDbhub } from './peer-dbhub.ts'
import { type BenchReport, type Figure, quantile } from './report.ts'

const SEED = `CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2));
INSERT INTO items SELECT i, 'item ' || i, i * 1.1 FROM generate_series(1, 10000) i; ANALYZE items`
const SQL = 'SELECT id, name, price FROM items WHERE id BETWEEN 100 AND 109'
const TOKEN = 'bench-token-0123456789abcdef'
const TOKENS = JSON.stringify([{ id: 'bench', token: TOKEN, scopes: ['query:execute'] }])
const CLIENTS = [1, 8]

type Query = () => Promise<void>

/** Rounds of the contenders in turn, so that a machine that drifts drifts for all of them. */
async function measure(contenders: ReadonlyMap<string, Query>, clients: number, rounds: number, perRound: number) {
  const samples = new Map([...contenders.keys()].map((name) => [name, [] as number[]]))
  for (let round = -1; round < rounds; round++) {
    for (const [name, query] of contenders) {
      const taken: number[] = []
      const client = async () => {
        for (let one = 0; one < perRound / clients; one++) {
          const startedMs = performance.now()
          await query()
          taken.push(performance.now() - startedMs)
        }
      }
      await Promise.all(Array.from({ length: clients }, client))
      if (round >= 0) samples.get(name)?.push(...taken)
    }
  }
  return samples
}

function overHttp(url: string): Query {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const { hostname, port } = new URL(url)
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'execute_query', arguments: { query: SQL, agent_id: 'bench' } },
  })
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return () =>
    new Promise((resolve, reject) => {
      const call = request({ agent, hostname, port, method: 'POST', path: '/', headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => (text.includes('"row_count":10') ? resolve() : reject(new Error(text.slice(0, 300)))))
      })
      call.on('error', reject).end(body)
    })
}

interface ProductProcess {
  readonly url: string
  stop(): Promise<void>
}

/** The product as its users start it: a process of its own, as every contender's server is. */
async function startProduct(dbUrl: string, folder: string): Promise<ProductProcess> {
  const tokens = join(folder, 'tokens.json')
  await writeFile(tokens, TOKENS, { mode: 0o600 })
  const child = spawn(process.execPath, ['bin/backstop.ts', 'up', '--data', join(folder, 'data'), '--json'], {
    cwd: resolve(import.meta.dirname, '../..'),
    env: {
      ...process.env,
      BACKSTOP_PORT: '0',
      BACKSTOP_DB_URL: dbUrl,
      BACKSTOP_TOKENS: tokens,
      BACKSTOP_RATE_PER_SECOND: '1000000',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  const url = await new Promise<string>((found, failed) => {
    child.once('exit', (code) => failed(new Error(`the product ended with ${code}: ${text}`)))
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const match = /"url":\s*"([^"]+)"/.exec(text)
      if (match?.[1] !== undefined) found(match[1])
    })
  })
  child.removeAllListeners('exit')
  return {
    url,
    stop: async () => {
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGTERM')
      await ended
    },
  }
}

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
      ['backstop over HTTP, audited', overHttp(product.url)],
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
