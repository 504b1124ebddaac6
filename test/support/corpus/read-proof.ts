/** Runs statements as the gate runs reads, and tells which of them changed anything. */
import { Client, type DatabaseError } from 'pg'
import type { NamedStatement } from './statement-file.ts'
import { markWal, recordsBetween, type WalMark } from './wal-records.ts'
import { differencesOfWorlds, readFiles, readServer, readSession, type World } from './world.ts'

export interface ReadProof {
  /** Ran to the end. */
  readonly ranCount: number
  /** SQLSTATE → names of the statements that failed with it. */
  readonly failures: ReadonlyMap<string, readonly string[]>
  /** Statements that changed something, with what they changed. */
  readonly violations: readonly Violation[]
  /** Facts that were compared at each step. */
  readonly factCount: number
}

export interface Violation {
  readonly name: string
  readonly changes: readonly string[]
}

export interface ProofOptions {
  readonly url: string
  readonly dataFolder: string
  /** Statements between two comparisons; a batch that changed something is run again one by one. */
  readonly batchSize: number
  readonly statementTimeoutMs: number
  readonly libraries: readonly string[]
}

interface Bench {
  readonly options: ProofOptions
  readonly observer: Client
  runner: Client
  ranCount: number
  readonly failures: Map<string, string[]>
}

/**
 * Run each statement in a READ ONLY transaction of its own, over the extended protocol, to the end, and commit.
 *
 * Effects: whatever the statements do
 * Throws:  Error when the server is gone
 */
export async function proveReads(statements: readonly NamedStatement[], options: ProofOptions): Promise<ReadProof> {
  const observer = await connect(options.url, 'observer')
  const bench: Bench = {
    options,
    observer,
    runner: await connectRunner(options),
    ranCount: 0,
    failures: new Map(),
  }
  const violations: Violation[] = []
  let before = await look(bench)
  const factCount = before.world.size
  for (let start = 0; start < statements.length; start += options.batchSize) {
    const batch = statements.slice(start, start + options.batchSize)
    for (const statement of batch) await runRead(bench, statement)
    const after = await look(bench)
    const changes = await changesBetween(bench, before, after)
    before = after
    if (changes.length === 0) continue
    violations.push(...(await nameCulprits(bench, batch, changes)))
    before = await look(bench)
  }
  await Promise.all([observer.end(), bench.runner.end()])
  return { ranCount: bench.ranCount, failures: bench.failures, violations, factCount }
}

interface Moment {
  readonly world: World
  readonly wal: WalMark
}

async function look(bench: Bench): Promise<Moment> {
  await knock(bench.options.url)
  const [server, session] = [await readServer(bench.observer), await readSession(bench.runner)]
  const named = [...session].map(([name, value]) => [`session: ${name}`, value] as const)
  const world = new Map([...server, ...named, ...readFiles(bench.options.dataFolder)])
  return { world, wal: await markWal(bench.observer) }
}

async function changesBetween(bench: Bench, before: Moment, after: Moment): Promise<string[]> {
  const records = await recordsBetween(bench.observer, before.wal, after.wal)
  return [...differencesOfWorlds(before.world, after.world), ...records.map((record) => `log record ${record}`)]
}

/** Run a batch again one by one. A change may happen only once; then the whole batch is reported. */
async function nameCulprits(bench: Bench, batch: readonly NamedStatement[], changes: string[]): Promise<Violation[]> {
  const names = batch.length === 1 ? `${batch[0]?.name}` : `${batch[0]?.name} … ${batch.at(-1)?.name}`
  await renewRunner(bench)
  const found = batch.length === 1 ? [] : await runOneByOne(bench, batch)
  return found.length > 0 ? found : [{ name: names, changes }]
}

async function runOneByOne(bench: Bench, batch: readonly NamedStatement[]): Promise<Violation[]> {
  const found: Violation[] = []
  const ranCount = bench.ranCount
  let before = await look(bench)
  for (const statement of batch) {
    await runRead(bench, statement)
    const after = await look(bench)
    const changes = await changesBetween(bench, before, after)
    before = after
    if (changes.length === 0) continue
    found.push({ name: statement.name, changes })
    await renewRunner(bench)
    before = await look(bench)
  }
  bench.ranCount = ranCount
  return found
}

async function renewRunner(bench: Bench): Promise<void> {
  await bench.runner.end()
  bench.runner = await connectRunner(bench.options)
}

async function runRead(bench: Bench, statement: NamedStatement): Promise<void> {
  const { runner } = bench
  await runner.query('BEGIN READ ONLY')
  try {
    const query = { text: statement.sql, values: [...statement.parameters], queryMode: 'extended' }
    await runner.query(query)
    await runner.query('COMMIT')
    bench.ranCount += 1
  } catch (error) {
    const state = (error as DatabaseError).code ?? 'none'
    bench.failures.set(state, [...(bench.failures.get(state) ?? []), statement.name])
    await runner.query('ROLLBACK')
  }
}

/** Libraries are loaded beforehand: each brings settings of its own into the session, which is no change by a statement. */
async function connectRunner(options: ProofOptions): Promise<Client> {
  const client = await connect(options.url, 'runner')
  await client.query(`SET statement_timeout = ${options.statementTimeoutMs}`)
  for (const library of options.libraries) await client.query(`LOAD '${library}'`)
  return client
}

/** Before it lets anybody in, the postmaster does what it was signalled until then: a configuration is loaded by now. */
async function knock(url: string): Promise<void> {
  const client = await connect(url, 'knocker')
  await client.end()
}

async function connect(url: string, applicationName: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: applicationName })
  client.on('error', () => {})
  await client.connect()
  return client
}
