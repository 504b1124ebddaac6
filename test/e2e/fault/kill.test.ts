/** Processes that are killed without warning in the middle of a capture, a restore or an archive; the moments follow from a seed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemRandom } from '#lib/adapters/system/index.ts'
import { MINUTE_MS } from '#lib/kernel/index.ts'
import { simulateSegment, simulateSystemIdentifier } from '#lib/recovery/drill/simulated-wal.ts'
import { type CliEnd, type RunningCli, runCliJson, runCliProcess, startCli } from '#test/support/cli/run-cli.ts'
import { callGateway, startUpProcess } from '#test/support/cli/running-up.ts'
import { randomFrom } from '#test/support/crash/random.ts'
import { eventually } from '#test/support/eventually.ts'
import { contentOf, invalidOffers, type KnownPoint, lostPoints } from '#test/support/fault/promise.ts'
import { type FaultLine, renderFaults } from '#test/support/fault/table.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'

const SEED = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000)
const ROUNDS = 5
const BIG = { schema: 'public', name: 'big' } as const
const random = randomFrom(SEED)
const lines: FaultLine[] = []

let db: TestDatabase
let folder: string
let places: Record<string, string>
beforeAll(async () => {
  db = await createTestDatabase(
    'CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 10) AS body FROM generate_series(1, 150000) i; ALTER TABLE big ADD PRIMARY KEY (id)',
  )
  folder = mkdtempSync(join(tmpdir(), 'backstop-killed-'))
  places = {
    BACKSTOP_DB_URL: db.url,
    BACKSTOP_STORAGE_URL: pathToFileURL(join(folder, 'objects')).href,
    BACKSTOP_METADATA_DB: join(folder, 'records.db'),
  }
})
afterAll(async () => {
  console.log(renderFaults(`killed processes, seed ${SEED}`, lines))
  await db.drop()
  rmSync(folder, { recursive: true, force: true })
})

/**
 * Starts it, and ends it without warning at a moment of its time that is not before this part of it. Resolves with the moment;
 * with none when it was faster than it was measured on a busier machine, and is measured anew.
 */
async function killWithin(words: readonly string[], time: { wholeMs: number }, earliest: number): Promise<string[]> {
  const afterMs = Math.round(time.wholeMs * (earliest + (1 - earliest) * random()))
  const startMs = performance.now()
  const running = startCli(words, places)
  const end = await Promise.race([running.end, delay(afterMs)])
  if (end !== undefined) {
    expect(end).toMatchObject({ exitCode: 0 })
    time.wholeMs = performance.now() - startMs
    return []
  }
  running.child.kill('SIGKILL')
  await running.end
  return [`${afterMs} ms`]
}

/** What a killed client had under way in the server ends, before anybody looks. */
async function untilSessionsEnd(): Promise<void> {
  await eventually(
    async () => {
      const [row] = await db.run(
        'SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      return row?.['count'] === 0
    },
    { timeoutMs: 60_000, everyMs: 50, what: 'the abandoned sessions to end' },
  )
}

/**
 * A capture that runs, while nobody writes a record from the moment at which it has begun until `release`. Undefined: it was over
 * before anybody had looked.
 */
async function captureUnnoted(): Promise<{ readonly running: RunningCli; release(): void } | undefined> {
  const records = new DatabaseSync(join(folder, 'records.db'))
  records.exec('PRAGMA busy_timeout = 30000')
  const begun = records.prepare(`SELECT count(*) AS count FROM record WHERE partition = 'recovery-begun'`)
  const count = () => Number(begun.get()?.['count'])
  const before = count()
  const running = startCli(SNAPSHOT, places)
  let end: CliEnd | undefined
  void running.end.then((ended) => {
    end = ended
  })
  const look = () => {
    if (end !== undefined) return 'over'
    if (count() === before) return undefined
    records.exec('BEGIN IMMEDIATE')
    if (count() > before) return 'held'
    records.exec('ROLLBACK')
    return undefined
  }
  const found = await eventually(look, { timeoutMs: 60_000, everyMs: 1, what: 'the capture to begin' })
  if (found === 'held') return { running, release: () => records.close() }
  records.close()
  expect(end).toMatchObject({ exitCode: 0 })
  return undefined
}

async function timeOf(words: readonly string[]): Promise<{ wholeMs: number }> {
  const start = performance.now()
  const end = await runCliProcess(words, places)
  expect(end).toMatchObject({ exitCode: 0 })
  return { wholeMs: performance.now() - start }
}

/** Ten minutes later: what was left behind is settled by then. */
async function looking<T>(use: (slice: TestRecovery) => Promise<T>): Promise<T> {
  const slice = await openTestRecovery(db.database, { folder, clock: createFixedClock(Date.now() + 10 * MINUTE_MS) })
  try {
    return await use(slice)
  } finally {
    await slice.close()
  }
}

function note(fault: string, killedAt: readonly string[], problems: readonly string[], told: string): void {
  lines.push({ fault, moment: killedAt.join(' '), told, result: problems.length === 0 ? 'holds' : problems.join('; ') })
  expect(killedAt.length).toBeGreaterThan(0)
  expect(problems).toEqual([])
}

const SNAPSHOT = ['snapshot', '--table', 'big']
const ROUND = { allowedTables: ['big'], minimumAgeMs: MINUTE_MS }

describe('killed', () => {
  let known: KnownPoint[]

  test('in a capture: no half point is offered, and the next one succeeds', async () => {
    const time = await timeOf(SNAPSHOT)
    known = await looking(async ({ recovery }) => {
      const [point] = (await recovery.list({ limit: 1 })).points
      return point === undefined ? [] : [{ point, content: await contentOf(db, BIG) }]
    })
    expect(known).toHaveLength(1)
    const killedAt: string[] = []
    const problems: string[] = []
    for (let round = 0; round < ROUNDS || killedAt.length === 0; round++) {
      killedAt.push(...(await killWithin(SNAPSHOT, time, 0.3)))
      await untilSessionsEnd()
      await looking(({ recovery }) => recovery.planRound(ROUND))
      problems.push(...(await looking(async ({ recovery }) => await invalidOffers({ recovery, db }))))
    }
    problems.push(...(await looking(async ({ recovery }) => await lostPoints({ recovery, db }, known))))
    expect((await runCliJson(SNAPSHOT, places)).exitCode).toBe(0)
    note('backstop snapshot', killedAt, problems, 'whoever started it')
  })

  test('between the manifest and the record of a capture: the next round knows the point', async () => {
    const countPoints = async () => (await looking(({ recovery }) => recovery.scan(BIG))).points.length
    let before = await countPoints()
    let held = await captureUnnoted()
    for (; held === undefined; held = await captureUnnoted()) before = await countPoints()
    const { running, release } = held
    await eventually(async () => (await countPoints()) > before, { timeoutMs: 60_000, what: 'the manifest' })
    running.child.kill('SIGKILL')
    await running.end
    release()
    await untilSessionsEnd()
    const regained = await looking(async ({ recovery }) => (await recovery.planRound(ROUND)).regained)
    const problems = regained.length === 1 ? [] : [`${regained.length} points were entered`]
    problems.push(...(await looking(async ({ recovery }) => await invalidOffers({ recovery, db }))))
    const content = await contentOf(db, BIG)
    const whole = regained.map((point) => ({ point, content }))
    problems.push(...(await looking(async ({ recovery }) => await lostPoints({ recovery, db }, whole))))
    note('backstop snapshot', ['after its manifest'], problems, 'whoever started it')
  })

  test('in a restore: the target is whole or not there, and the next one succeeds', async () => {
    const restore = (target: string) => [
      'restore',
      '--table',
      'big',
      '--snapshot-id',
      String(known[0]?.point.snapshotId),
      '--target-table',
      target,
    ]
    const time = await timeOf(restore('whole'))
    const killedAt: string[] = []
    const problems: string[] = []
    for (let round = 0; round < ROUNDS || killedAt.length === 0; round++) {
      const target = `target_${round}`
      killedAt.push(...(await killWithin(restore(target), time, 0.3)))
      await untilSessionsEnd()
      const [row] = await db.run(`SELECT to_regclass('${target}') IS NOT NULL AS there`)
      if (row?.['there'] === true) {
        const found = await contentOf(db, { schema: 'public', name: target })
        if (found !== known[0]?.content) problems.push(`${target} is there, and not whole`)
      }
      const [left] = await db.run(
        `SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE 'backstop%'`,
      )
      if (left?.['count'] !== 0) problems.push(`${left?.['count']} relations were left behind`)
      await db.run(`DROP TABLE IF EXISTS ${target}`)
    }
    problems.push(...(await looking(async ({ recovery }) => await lostPoints({ recovery, db }, known))))
    expect((await runCliJson(restore('after_all'), places)).exitCode).toBe(0)
    note('backstop restore', killedAt, problems, 'whoever started it')
  })

  test('in wal archive: the segment is whole or not there, the next try succeeds, and what was there stays', async () => {
    const identifier = simulateSystemIdentifier(systemRandom)
    const archive = (name: string) => [
      'wal',
      'archive',
      '--cluster-id',
      'prod',
      '--wal-file',
      join(folder, name),
      '--wal-name',
      name,
    ]
    const names: string[] = []
    const write = (number: number) => {
      const { name, content } = simulateSegment(number, identifier, systemRandom)
      writeFileSync(join(folder, name), content)
      names.push(name)
      return name
    }
    const time = await timeOf(archive(write(1)))
    const killedAt: string[] = []
    const problems: string[] = []
    for (let round = 0; round < ROUNDS || killedAt.length === 0; round++) {
      const name = write(2 + round)
      killedAt.push(...(await killWithin(archive(name), time, 0.4)))
      const verified = await runCliJson(['wal', 'verify', '--cluster-id', 'prod'], places)
      if (verified.data.problems?.length > 0) problems.push(`${name}: ${JSON.stringify(verified.data.problems)}`)
      // As the server does: again, until it is told that it worked.
      const again = await runCliProcess(archive(name), places)
      if (again.exitCode !== 0) problems.push(`${name} cannot be archived after all: ${again.stderr}`)
    }
    for (const name of names) {
      const output = join(folder, `${name}.back`)
      const fetched = await runCliProcess(
        ['wal', 'fetch', '--cluster-id', 'prod', '--wal-name', name, '--output', output],
        places,
      )
      const isSame = fetched.exitCode === 0 && readFileSync(output).equals(readFileSync(join(folder, name)))
      if (!isSame) problems.push(`${name} does not come back as it was`)
    }
    note('backstop wal archive', killedAt, problems, 'the server, which tries again')
  })

  test('in a capture of the background: the next process tells of it once, and takes the point', async () => {
    const data = join(folder, 'data')
    const tokens = join(folder, 'tokens.json')
    writeFileSync(tokens, JSON.stringify([{ id: 'admin', token: 'admin-token-of-the-faults', scopes: ['admin:*'] }]))
    const environment = {
      BACKSTOP_DB_URL: db.url,
      BACKSTOP_TOKENS: tokens,
      BACKSTOP_SNAPSHOT_TABLES: 'big',
      BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: '1',
      BACKSTOP_DRILL_INTERVAL_HOURS: '0',
    }
    const holder = new Client({ connectionString: db.url })
    await holder.connect()
    await holder.query('BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE')
    const first = await startUpProcess(['--data', data], environment)
    const waits = `SELECT count(*)::int AS count FROM pg_locks l JOIN pg_stat_activity s USING (pid)
      WHERE l.relation = 'big'::regclass AND NOT l.granted AND s.query LIKE 'LOCK TABLE%'`
    await eventually(async () => Number((await db.run(waits))[0]?.['count']) > 0, { timeoutMs: 60_000, everyMs: 20 })
    first.child.kill('SIGKILL')
    await first.end
    await holder.query('COMMIT')
    await holder.end()
    await untilSessionsEnd()
    const second = await startUpProcess(['--data', data], environment)
    try {
      const read = async (path: string) => (await callGateway(second.ready.url, path, 'admin-token-of-the-faults')).body
      const points = await eventually(
        async () => {
          const found = (await read('/metadata/snapshots?table=big')) as { status: string }[]
          return found.length > 0 && found
        },
        { timeoutMs: 90_000, everyMs: 200, what: 'the point after all' },
      )
      expect(points.map(({ status }) => status)).toEqual(['valid'])
      // The point is there before its round is over, and a round tells when it is.
      const told = await eventually(
        async () => {
          const { items } = (await read('/metadata/alerts?limit=100')) as {
            items: { event_type: string; recommended_action: string }[]
          }
          const lost = items.filter(({ event_type }) => event_type === 'snapshot_capture_lost')
          return lost.length > 0 && lost
        },
        { timeoutMs: 60_000, everyMs: 200, what: 'the alert' },
      )
      expect(told).toEqual([expect.objectContaining({ recommended_action: expect.stringContaining('log') })])
      note('backstop up', ['in its first capture'], [], 'snapshot_capture_lost×1')
    } finally {
      second.child.kill('SIGTERM')
      await second.end
    }
  })
})
