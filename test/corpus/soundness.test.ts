import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '#lib/adapters/embedded/index.ts'
import { classify, loadClassifier } from '#lib/gate/classify/index.ts'
import { type CatalogCall, writeCatalogCalls } from '#test/support/corpus/catalog-calls.ts'
import { readClassifyCases, readLegitimateStatements, readShopSchema } from '#test/support/corpus/corpus-files.ts'
import { HARMLESS_VOLATILE } from '#test/support/corpus/harmless-volatile.ts'
import { proveReads, type ReadProof } from '#test/support/corpus/read-proof.ts'
import { sortStatements } from '#test/support/corpus/safe-statements.ts'
import type { NamedStatement } from '#test/support/corpus/statement-file.ts'
import { openWitness, type Witness } from '#test/support/corpus/witness.ts'

/** No checkpoint by the clock: it makes files and changes slots between two looks. */
const SETTINGS = {
  autovacuum: 'off',
  wal_level: 'logical',
  max_prepared_transactions: '5',
  track_functions: 'none',
  checkpoint_timeout: '1d',
}
const LIBRARIES = ['plpgsql', 'pg_trgm', 'pgcrypto']
const LONG_MS = 600_000

let cluster: Cluster
let url: string
/** Another session in the middle of a query: it must outlive everything that runs as a read. */
let witness: Witness

beforeAll(async () => {
  await loadClassifier()
  cluster = await startCluster({ settings: SETTINGS })
  const admin = new Client({ connectionString: cluster.urlFor('postgres') })
  await admin.connect()
  await admin.query('CREATE DATABASE shop')
  await admin.end()
  url = cluster.urlFor('shop')
  const owner = await open('owner')
  await owner.query(readShopSchema())
  await owner.query('CREATE EXTENSION pg_walinspect')
  await owner.query("SELECT pg_create_physical_replication_slot('shop_slot')")
  await owner.query('CHECKPOINT')
  await owner.end()
  witness = await openWitness(url)
}, LONG_MS)

afterAll(async () => {
  await witness?.end()
  await cluster?.stop()
})

async function open(applicationName: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: applicationName })
  client.on('error', () => {})
  await client.connect()
  return client
}

const prove = (statements: readonly NamedStatement[], batchSize: number): Promise<ReadProof> =>
  proveReads(statements, {
    url,
    dataFolder: cluster.dataFolder,
    batchSize,
    statementTimeoutMs: 60_000,
    libraries: LIBRARIES,
  })

async function sorted(statements: readonly NamedStatement[]) {
  const client = await open('sorter')
  try {
    return await sortStatements(client, statements)
  } finally {
    await client.end()
  }
}

function classifyStatements(): NamedStatement[] {
  return [...readClassifyCases()].flatMap(([file, cases]) =>
    cases.map(({ name, statements }) => ({ name: `${file}: ${name}`, sql: statements[0] ?? '', parameters: [] })),
  )
}

const listFailures = ({ failures }: ReadProof) =>
  [...failures].map(([state, names]) => `    ${state} × ${names.length}: ${names.slice(0, 3).join(' · ')}`).join('\n')

describe('the checker itself', () => {
  const planted = (sql: string, name = sql): NamedStatement => ({ name, sql, parameters: [] })

  it.each([
    // It returns when the other session is gone, and not while the signal is on its way.
    [
      'ends another session',
      () => planted(`SELECT pg_terminate_backend(${witness.pid}, 60000)`, 'terminate'),
      /process \d+ client/,
    ],
    ['throws statistics away', () => planted('SELECT pg_stat_reset()'), /statistics of shop/],
    [
      'changes a setting of the session',
      () => planted("SELECT set_config('work_mem', '9MB', false)"),
      /setting work_mem/,
    ],
    ['takes an advisory lock', () => planted('SELECT pg_advisory_lock(7)'), /advisory locks/],
    ['listens', () => planted('LISTEN jobs'), /channels/],
    ['prepares a statement', () => planted('PREPARE planted AS SELECT 1'), /prepared statements/],
    ['writes into the log', () => planted("SELECT pg_logical_emit_message(false, 'a', 'b')"), /LogicalMessage/],
    ['makes a restore point', () => planted("SELECT pg_create_restore_point('planted')"), /XLOG\/RESTORE_POINT/],
    ['consumes a transaction id', () => planted('SELECT pg_current_xact_id()'), /next transaction id/],
    ['writes through another connection', () => planted(remoteWrite()), /table public\.change_log/],
    ['writes a file', () => planted(`COPY (SELECT 1) TO '${cluster.dataFolder}/planted.txt'`), /files/],
    [
      'makes a slot',
      () => planted("SELECT pg_create_physical_replication_slot('planted')"),
      /slot planted|files|table/,
    ],
    ['reloads the configuration', () => planted('SELECT pg_reload_conf()'), /configuration loaded at/],
  ])('names a statement that %s', async (_, statement, change) => {
    const proof = await prove([planted('SELECT 1'), statement()], 1)
    expect(proof.violations.map(({ name }) => name)).toEqual([statement().name])
    expect(proof.violations[0]?.changes.join('\n')).toMatch(change)
    if (statement().name === 'terminate') await restartWitness()
  })

  it('names one statement in a batch, and those around it not', async () => {
    const proof = await prove([planted('SELECT 1'), planted('SELECT pg_advisory_lock(7)'), planted('SELECT 2')], 3)
    expect(proof.violations.map(({ name }) => name)).toEqual(['SELECT pg_advisory_lock(7)'])
  })

  it('sees a write that the read-only transaction stops', async () => {
    const proof = await prove([planted('DELETE FROM payments')], 1)
    expect([...proof.failures.keys()]).toEqual(['25006'])
    expect(proof.violations).toEqual([])
  })

  it('leaves out what calls a volatile function of the user', async () => {
    const result = await sorted([planted('SELECT record_visit(1)'), planted('SELECT order_value(1)')])
    expect(result.safe.map(({ sql }) => sql)).toEqual(['SELECT order_value(1)'])
    expect(result.raised).toEqual([{ name: 'SELECT record_visit(1)', because: 'record_visit' }])
  })
})

async function restartWitness(): Promise<void> {
  await witness.end()
  witness = await openWitness(url)
}

function remoteWrite(): string {
  const connection = `host=${cluster.host} port=${cluster.port} dbname=shop user=postgres password=${new URL(url).password}`
  return `SELECT dblink_exec('${connection}', 'INSERT INTO change_log VALUES (DEFAULT, ''x'', ''y'', 1, now())')`
}

describe('what is classified SAFE', () => {
  it(
    'neither tries to write nor changes anything, in both corpora',
    async () => {
      const legitimate = await sorted(readLegitimateStatements())
      const corpus = await sorted(classifyStatements())
      const statements = [...legitimate.safe, ...corpus.safe]
      const proof = await prove(statements, 40)
      console.log(
        `soundness: ${statements.length} SAFE statements, ${proof.ranCount} ran to the end, ` +
          `${proof.violations.length} wrote; ${proof.factCount} facts compared\n  did not run, by SQLSTATE:\n${listFailures(proof)}`,
      )
      expect(proof.violations).toEqual([])
      expect(proof.failures.get('25006') ?? []).toEqual([])
      expect(proof.ranCount).toBeGreaterThanOrEqual(150)
      expect(proof.factCount).toBeGreaterThan(250)
    },
    LONG_MS,
  )

  it(
    'includes every legitimate statement, and each of them runs',
    async () => {
      const statements = readLegitimateStatements()
      const { safe, raised, others } = await sorted(statements)
      const proof = await prove(safe, safe.length)
      const refused = raised.length + others.length
      console.log(`false refusals: ${refused} of ${statements.length} legitimate statements`)
      expect(statements.length).toBeGreaterThanOrEqual(300)
      expect({ raised, others }).toEqual({ raised: [], others: [] })
      expect([...proof.failures]).toEqual([])
      expect(proof.ranCount).toBe(statements.length)
    },
    LONG_MS,
  )
})

/** SAFE by the text; what the catalog says of a function outside pg_catalog comes on top. */
const isSafe = ({ sql }: NamedStatement) => {
  const result = classify(sql)
  return result.ok && result.level === 'SAFE'
}

async function callsOf(schema: string) {
  const client = await open('sorter')
  try {
    return await writeCatalogCalls(client, schema, witness.pid)
  } finally {
    await client.end()
  }
}

/** Call, print, and require that nothing changed. Returns how many functions were called. */
async function requireHarmless(schema: string, safe: readonly CatalogCall[], functionCount: number): Promise<number> {
  const proof = await prove(safe, 400)
  const functions = new Set(safe.map(({ signature }) => signature))
  console.log(
    `functions of ${schema}: ${functionCount} that SQL can call, ${functions.size} of them SAFE in ${safe.length} calls, ` +
      `${proof.ranCount} ran to the end, ${proof.violations.length} changed anything\n  did not run, by SQLSTATE:\n${listFailures(proof)}`,
  )
  expect(proof.violations).toEqual([])
  expect(proof.failures.get('25006') ?? []).toEqual([])
  return functions.size
}

describe('functions that are classified SAFE', () => {
  it('are, when pg_catalog calls them volatile, those of the reviewed list', async () => {
    const { calls } = await callsOf('pg_catalog')
    const volatile = calls.filter((call) => call.volatility === 'v' && isSafe(call)).map(({ signature }) => signature)
    expect([...new Set(volatile)].toSorted()).toEqual([...HARMLESS_VOLATILE].toSorted())
  })

  it(
    'change nothing, whichever of pg_catalog is called with NULLs, with plain and with harmful values',
    async () => {
      const { calls, functionCount, uncallableCount } = await callsOf('pg_catalog')
      const called = await requireHarmless('pg_catalog', calls.filter(isSafe), functionCount - uncallableCount)
      expect(called).toBeGreaterThan(1_500)
    },
    LONG_MS,
  )

  it(
    'change nothing, whichever extension brought them, unless the catalog calls them volatile',
    async () => {
      const { calls, functionCount, uncallableCount } = await callsOf('public')
      const safe = calls.filter((call) => call.volatility !== 'v' && isSafe(call))
      const called = await requireHarmless('public', safe, functionCount - uncallableCount)
      expect(called).toBeGreaterThan(250)
    },
    LONG_MS,
  )
})
