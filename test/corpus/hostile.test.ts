import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from '#lib/adapters/embedded/index.ts'
import { type Classification, classify, loadClassifier } from '#lib/gate/classify/index.ts'
import { isAtLeast } from '#lib/kernel/index.ts'
import { readShopSchema } from '#test/support/corpus/corpus-files.ts'
import { fillPlaceholders, type HostileWorld, listHostileCases, STAGES } from '#test/support/corpus/hostile-case.ts'
import { proveReads } from '#test/support/corpus/read-proof.ts'

/** Every class that was seen in the field, and what the predecessor's holes add. */
const CLASSES = [
  'transaction-mode escapes',
  'session changes',
  'prepared statements and cursors',
  'writes in reads',
  'code',
  'functions of users',
  'operators, casts and types',
  'views, rules and row security',
  'triggers and cascades',
  'tautologies',
  'destruction by other words',
  'shadowing',
  'Unicode and hidden characters',
  'server files',
  'other connections',
  'signals and configuration',
  'rights',
  'resource exhaustion',
  'what the policy must not lose',
]

/** A cluster is started and the shop loaded, on a machine that may be busy. */
const START_MS = 120_000

const cases = listHostileCases()
beforeAll(loadClassifier)

/** Whether a statement is held or refused for what its text shows. */
function isStoppedByText(result: Classification): boolean {
  return !result.ok || result.transaction === 'never' || isAtLeast(result.level, 'HIGH') || isLockedOut(result)
}

/** A read that is not SAFE does not run as one; LOW runs as a counted write. */
function isLockedOut(result: Classification): boolean {
  return result.ok && result.level === 'LOW' && result.functions.some(({ name }) => name === 'nextval')
}

describe('the attacks', () => {
  it('are at least 150, of every class and against every known hole', () => {
    expect(cases.length).toBeGreaterThanOrEqual(150)
    expect([...new Set(cases.map(({ attackClass }) => attackClass))].toSorted()).toEqual(CLASSES.toSorted())
    const holes = new Set(cases.flatMap(({ hole }) => hole ?? []))
    expect([...holes].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 14 }, (_, index) => index + 1))
    const counts = STAGES.map((stage) => `${stage} ${cases.filter(({ stoppedBy }) => stoppedBy === stage).length}`)
    console.log(`attacks: ${cases.length} in ${CLASSES.length} classes, to be stopped by ${counts.join(', ')}`)
  })

  const byText = cases.filter(({ stoppedBy }) => stoppedBy === 'text')
  it.each(byText.map((attack) => [`${attack.attackClass}: ${attack.name}`, attack.requests]))(
    'stop at the text: %s',
    (_, requests) => {
      const results = requests.map((sql) => classify(sql.replaceAll(/\{\{\w+\}\}/g, '1')))
      expect(
        results.some(isStoppedByText),
        JSON.stringify(results.map((result) => [result.level, result.ok && result.operation])),
      ).toBe(true)
    },
  )
})

describe('on a real server', () => {
  let cluster: Cluster
  let owner: Client
  let world: HostileWorld

  beforeAll(async () => {
    cluster = await startCluster({ settings: { autovacuum: 'off', checkpoint_timeout: '1d' } })
    const url = new URL(cluster.urlFor('postgres'))
    owner = new Client({ connectionString: url.href })
    await owner.connect()
    await owner.query(readShopSchema())
    await owner.query('CREATE EXTENSION pg_walinspect')
    const password = decodeURIComponent(url.password)
    world = {
      connection: `host=${url.hostname} port=${url.port} dbname=postgres user=${url.username} password=${password}`,
      port: url.port,
      database: 'postgres',
      role: url.username,
      password,
      witness: '1',
    }
    for (const { setup, place } of cases) {
      for (const sql of setup) {
        await owner.query(fillPlaceholders(sql, world)).catch((error) => {
          throw new Error(`${place}: ${error.message}`)
        })
      }
    }
  }, START_MS)

  afterAll(async () => {
    await owner?.end()
    await cluster?.stop()
  })

  const prove = (attacks: typeof cases) =>
    proveReads(
      attacks.flatMap(({ name, requests }) =>
        requests.map((sql) => ({ name, sql: fillPlaceholders(sql, world), parameters: [] })),
      ),
      {
        url: cluster.urlFor('postgres'),
        dataFolder: cluster.dataFolder,
        batchSize: 1,
        statementTimeoutMs: 60_000,
        libraries: ['plpgsql', 'dblink', 'pg_trgm', 'pgcrypto'],
      },
    )

  it('a read-only transaction stops what is left to the server', async () => {
    const left = cases.filter((attack) => attack.stoppedBy === 'server' && attack.attackClass !== 'resource exhaustion')
    const proof = await prove(left)
    expect(left.length).toBeGreaterThanOrEqual(5)
    expect(proof.violations).toEqual([])
  })

  it('a read-only transaction does not stop what is left to the catalog: that stage is needed', async () => {
    const reaching = cases.filter(
      ({ stoppedBy, setup }) => stoppedBy === 'catalog' && setup.some((sql) => sql.includes('dblink_exec')),
    )
    const reads = reaching.filter(({ requests }) => requests.every((sql) => /^(SELECT|EXPLAIN)/.test(sql)))
    const proof = await prove(reads)
    expect(proof.violations.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'a function that lies and reaches out',
        'a liar at plan time',
        'a view over another connection',
      ]),
    )
  })
})
