/** A table is copied when it has changed, and only then: in rounds, and as orders that other processes carry out. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { epochMsOf } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { CaptureOrder, RoundPolicy } from '#lib/recovery/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const MINUTE_MS = 60_000
const POLICY: RoundPolicy = { allowedTables: [], minimumAgeMs: MINUTE_MS }
const SEED = `
  CREATE TABLE quiet (id serial PRIMARY KEY, body text NOT NULL, price numeric, tags text[]);
  INSERT INTO quiet (body, price, tags) SELECT md5(i::text), i / 7.0, ARRAY[i::text, NULL] FROM generate_series(1, 200) i;
  CREATE TABLE busy (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT now())`

let db: TestDatabase
let slice: TestRecovery
let clock: FixedClock

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  clock = createFixedClock()
  slice = await openTestRecovery(db.database, { clock })
  await slice.recovery.runRound(POLICY)
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

const named = (name: string) => ({ schema: 'public', name })

async function points(name: string): Promise<readonly RecoveryPoint[]> {
  return (await slice.recovery.list({ relation: named(name), limit: 1_000 })).points
}

/** An order as a plan of another minute would give it. */
async function orderOf(name: string, because: CaptureOrder['because'] = 'maybe-changed'): Promise<CaptureOrder> {
  const [newest] = await points(name)
  clock.advance(MINUTE_MS)
  return {
    relation: named(name),
    relationOid: newest?.relationOid ?? 0,
    origin: 'schedule',
    because,
    minimumAgeMs: MINUTE_MS,
    dedupeKey: `capture-${clock.nowMs()}`,
  }
}

test('a table that is as it was is confirmed at the time of the comparison, and nothing is copied', async () => {
  const [before] = await points('quiet')
  const order = await orderOf('quiet')
  const outcome = await slice.recovery.captureOne(order)
  expect(outcome).toEqual({ status: 'confirmed', point: { ...before, confirmedAt: '2027-01-15T08:01:00.000Z' } })
  expect(await slice.recovery.captureOne(order)).toMatchObject({ status: 'fresh' })
  expect(await points('quiet')).toHaveLength(1)
})

test.for([
  [
    'one bit of one value',
    `UPDATE quiet SET body = translate(body, 'a', 'b') WHERE id = (SELECT min(id) FROM quiet WHERE body LIKE '%a%')`,
  ],
  ['a value of the same magnitude', 'UPDATE quiet SET price = price + 0.0000000000000001 WHERE id = 7'],
  [
    'the scale of a number alone',
    `UPDATE quiet SET price = '1.0' WHERE id = 7; UPDATE quiet SET price = '1.00' WHERE id = 14`,
  ],
  ['NULL in the place of an empty value', `UPDATE quiet SET tags = NULL WHERE id = 1`],
  [
    'values that trade places between two rows',
    `UPDATE quiet SET body = CASE id WHEN 1 THEN (SELECT body FROM quiet WHERE id = 2) ELSE (SELECT body FROM quiet WHERE id = 1) END WHERE id IN (1, 2)`,
  ],
  ['a row more', `INSERT INTO quiet (id, body) VALUES (999, 'x')`],
  [
    'a row less and another twice',
    `DELETE FROM quiet WHERE id = 3; ALTER TABLE quiet DROP CONSTRAINT quiet_pkey; INSERT INTO quiet SELECT * FROM quiet WHERE id = 4`,
  ],
  ['no row left', 'TRUNCATE quiet'],
  ['a sequence that was drawn from', `SELECT nextval('quiet_id_seq')`],
  ['a default', `ALTER TABLE quiet ALTER COLUMN body SET DEFAULT 'x'`],
  ['an index', 'CREATE INDEX ON quiet (price)'],
  ['a grant', 'GRANT SELECT ON quiet TO PUBLIC'],
  ['a comment', `COMMENT ON COLUMN quiet.body IS 'text'`],
  [
    'another table under its name',
    'ALTER TABLE quiet RENAME TO former; CREATE TABLE quiet (LIKE former INCLUDING ALL); INSERT INTO quiet SELECT * FROM former',
  ],
] as const)('%s leads to a copy', async ([, change]) => {
  await db.run(change)
  const [before] = await points('quiet')
  const order = await orderOf('quiet')
  const outcome = await slice.recovery.captureOne(order)
  expect(outcome.status).toBe('captured')
  const [after] = await points('quiet')
  expect(after?.snapshotId).not.toBe(before?.snapshotId)
})

test('rows that were written and are equal again, and rows that have moved, are no change', async () => {
  await db.run(`UPDATE quiet SET body = 'x'; UPDATE quiet SET body = md5(id::text)`)
  await db.run('VACUUM FULL quiet')
  expect(await slice.recovery.captureOne(await orderOf('quiet'))).toMatchObject({ status: 'confirmed' })
  await db.run(`BEGIN; DELETE FROM quiet; ROLLBACK`)
  expect(await slice.recovery.captureOne(await orderOf('quiet'))).toMatchObject({ status: 'confirmed' })
})

test('an unlogged table is confirmed by its content, and copied when a crash would have emptied it', async () => {
  await db.run('ALTER TABLE quiet SET UNLOGGED')
  expect(await slice.recovery.captureOne(await orderOf('quiet'))).toMatchObject({ status: 'captured' })
  expect(await slice.recovery.captureOne(await orderOf('quiet'))).toMatchObject({ status: 'confirmed' })
  await db.run('TRUNCATE quiet')
  expect(await slice.recovery.captureOne(await orderOf('quiet'))).toMatchObject({ status: 'captured' })
})

test('a point that is not whole is not confirmed, however equal the table is', async () => {
  const [point] = await points('quiet')
  const { manifest } = await slice.recovery.readManifest(point?.snapshotId ?? 'snap_')
  await slice.objects.delete(manifest.parts[0]?.key ?? '')
  expect(await slice.recovery.captureOne(await orderOf('quiet'))).toMatchObject({ status: 'captured' })
  expect((await points('quiet')).map(({ status }) => status)).toEqual(['valid', 'quarantined'])
})

test('a comparison that runs out of time is a failure, and the next plan orders a copy', async () => {
  const order = await orderOf('quiet')
  expect(await slice.recovery.captureOne(order, { signal: AbortSignal.abort() })).toMatchObject({ status: 'failed' })
  await db.run('INSERT INTO busy DEFAULT VALUES')
  const { captures, failing } = await slice.recovery.planRound(POLICY)
  expect(failing).toMatchObject([{ relation: named('quiet') }])
  expect(captures.find(({ relation }) => relation.name === 'quiet')).toMatchObject({ because: 'changed' })
})

/** What must hold after every round, whoever carries out its orders. */
async function assertFresh(name: string, oldestMs: number): Promise<void> {
  const newest = await slice.recovery.findNewestValid(named(name))
  const at = newest?.confirmedAt ?? newest?.capturedAt
  const atMs = at === undefined ? 0 : epochMsOf(at)
  expect(clock.nowMs() - atMs, name).toBeLessThanOrEqual(oldestMs)
}

const ROUNDS = 12

test.for(['in line', 'by orders'] as const)(
  'over many rounds %s the quiet table never ages and is copied once; the busy one is copied each time',
  async (way) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      clock.advance(MINUTE_MS)
      await db.run('INSERT INTO busy DEFAULT VALUES')
      if (way === 'in line') await slice.recovery.runRound(POLICY)
      else for (const order of (await slice.recovery.planRound(POLICY)).captures) await slice.recovery.captureOne(order)
      await assertFresh('quiet', 0)
      await assertFresh('busy', 0)
      const [newest] = await points('busy')
      expect(newest?.rowCount).toBe(round + 1)
    }
    expect(await points('quiet')).toHaveLength(1)
    expect(await points('busy')).toHaveLength(ROUNDS + 1)
  },
)

test('within a budget for one table a round, many tables take turns and none waits longer than its turn', async () => {
  const count = 6
  await db.run(
    Array.from({ length: count }, (_, index) => `CREATE TABLE turn_${index} AS SELECT ${index} AS v`).join(';'),
  )
  await slice.recovery.runRound(POLICY)
  const policy = { ...POLICY, compareBudgetBytes: 1 }
  const tables = ['quiet', 'busy', ...Array.from({ length: count }, (_, index) => `turn_${index}`)]
  for (let round = 0; round < 3 * tables.length; round += 1) {
    clock.advance(MINUTE_MS)
    await db.run('INSERT INTO busy DEFAULT VALUES')
    const { captured, confirmed, kept } = await slice.recovery.runRound(policy)
    expect(captured.length + confirmed.length + kept.length).toBe(tables.length)
    for (const table of tables) await assertFresh(table, tables.length * MINUTE_MS)
  }
  for (const table of tables.slice(2)) expect(await points(table)).toHaveLength(1)
  expect((await points('busy')).length).toBeGreaterThan(tables.length)
})
