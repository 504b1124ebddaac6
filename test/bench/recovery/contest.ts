/** One table of one size: rounds in which each contender takes it out and puts it back, one after the other. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { duckDb, OURS, type PeerName, plainCopy, postgresTools } from './contenders.ts'
import type { DuckDb } from './duckdb.ts'
import type { Contender, Place, Run } from './model.ts'
import type { Shape } from './shapes.ts'

export interface Entry {
  readonly contender: Contender
  readonly captures: readonly Run[]
  readonly restores: readonly Run[]
  readonly sizeBytes: number
}

export interface Outcome {
  readonly shape: Shape
  readonly rowCount: number
  readonly tableBytes: number
  readonly server: string
  readonly entries: readonly Entry[]
}

export interface ContestOptions {
  readonly shape: Shape
  readonly rowCount: number
  readonly rounds: number
  /** Folder of PostgreSQL's programs; absent: the embedded server, and no contender that needs them. */
  readonly tools?: string
  readonly duck?: DuckDb
  readonly names: readonly PeerName[]
  onStep(what: string): void
}

const SERVER_SETTINGS = { shared_buffers: '512MB', max_wal_size: '16GB' }

export async function runContest(options: ContestOptions): Promise<Outcome> {
  const { tools, shape, rowCount } = options
  const cluster = await startCluster({
    settings: SERVER_SETTINGS,
    ...(tools === undefined ? {} : { binFolder: tools }),
  })
  const folder = mkdtempSync(join(tmpdir(), 'backstop-bench-'))
  const place = { url: cluster.urlFor('postgres'), scratchUrl: cluster.urlFor('scratch'), folder }
  try {
    options.onStep('seed')
    await runSql(place.url, shape.seed(rowCount))
    const about = await describe(place.url)
    const entries = contendersOf(options).map((contender) => ({
      contender,
      captures: [] as Run[],
      restores: [] as Run[],
      sizeBytes: 0,
    }))
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const entry of entries) {
        options.onStep(`round ${round}: ${entry.contender.name}`)
        await takeTurn(entry, place)
      }
    }
    return { shape, rowCount, ...about, entries }
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function contendersOf({ tools, shape, duck, names }: ContestOptions): readonly Contender[] {
  if (tools === undefined) return [OURS]
  const createTable = shape.seed(0)[0] ?? ''
  const natives = names.includes('pg_dump') ? [postgresTools(tools)] : []
  const copies = names.includes('copy') ? [plainCopy(tools, createTable)] : []
  const duckDbs = duck === undefined ? [] : [duckDb(duck)]
  return [OURS, ...natives, ...copies, ...duckDbs]
}

interface OpenEntry {
  readonly contender: Contender
  readonly captures: Run[]
  readonly restores: Run[]
  sizeBytes: number
}

/** What was brought back is dropped again, and the server writes its pages, before the next one has its turn. */
async function takeTurn(entry: OpenEntry, place: Place): Promise<void> {
  const { contender } = entry
  entry.captures.push(await contender.take(place))
  entry.sizeBytes = contender.sizeBytes(place)
  await runSql(place.url, ['CREATE DATABASE scratch', 'CHECKPOINT'])
  entry.restores.push(await contender.bring(place))
  await runSql(place.url, ['DROP DATABASE scratch', 'DROP TABLE IF EXISTS big_recovered', 'CHECKPOINT'])
}

async function runSql(url: string, statements: readonly string[]): Promise<void> {
  const database = openPostgres({ url })
  try {
    await database.withDedicatedSession(async (session) => {
      for (const statement of statements) await session.execute(statement)
    })
  } finally {
    await database.close()
  }
}

async function describe(url: string): Promise<{ readonly server: string; readonly tableBytes: number }> {
  const database = openPostgres({ url })
  try {
    const [row] = await database.withDedicatedSession((session) =>
      session.query<{ version: string; size: string }>(
        `SELECT current_setting('server_version') AS version, pg_table_size('big')::text AS size`,
      ),
    )
    return { server: `PostgreSQL ${row?.version}`, tableBytes: Number(row?.size) }
  } finally {
    await database.close()
  }
}
