/** Changed rows that are found where they were expected: never others than the whole table would show, and never fewer. */
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { DatabaseSession, RowPlace, TouchedTable } from '#lib/ports/index.ts'
import { DEFAULT_UNDO_LIMITS, type UndoTable } from '#lib/recovery/undo/model.ts'
import { markTransaction, watchChanges } from '#lib/recovery/undo/watch-changes.ts'
import { everyPlace, openUndoWorld, TOUCHED_SQL, type UndoWorld, type WriteOptions } from '#test/support/undo/world.ts'
import { CASES } from './cases.ts'

const SEED = `
CREATE TABLE t (id int PRIMARY KEY, v text, n int); INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 40) i;
CREATE TABLE keyless (a int, b text); INSERT INTO keyless SELECT i, 'b' FROM generate_series(1, 40) i;
CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE); INSERT INTO child VALUES (1, 1);
CREATE TABLE spacious (id int PRIMARY KEY, pad text); ALTER TABLE spacious ALTER pad SET STORAGE PLAIN;
INSERT INTO spacious SELECT i, repeat('x', 3000) FROM generate_series(1, 400) i;`

/** No table may be searched: what is not found nearby is not kept. */
const NO_SEARCH = { maxScanBytes: 0, maxImmediateScanBytes: 0 }

async function inWorld<T>(limits: object, work: (world: UndoWorld) => Promise<T>): Promise<T> {
  const world = await openUndoWorld(SEED, limits)
  try {
    return await work(world)
  } finally {
    await world.close()
  }
}

async function undone(world: UndoWorld, sql: string, how: WriteOptions): Promise<number | string> {
  const before = await world.content()
  const { auditId, kept } = await world.write(sql, how)
  if (!kept.available) return kept.reason
  expect(await world.content()).not.toEqual(before)
  const { reversedCount } = await world.reverse(auditId)
  expect(await world.content()).toEqual(before)
  return reversedCount
}

const placesOf = (table: string, where = 'true') => ({
  places: `SELECT tableoid::text AS "tableOid", ctid::text AS ctid FROM ${table} WHERE ${where}`,
})

/** A row whose key changed, or that has none, is one that goes and one that comes. */
const FOUND: readonly (readonly [title: string, sql: string, how: WriteOptions, rows: number])[] = [
  ['an UPDATE by its key', 'UPDATE t SET v = NULL WHERE id = 3', placesOf('t', 'id = 3'), 1],
  ['an UPDATE that leaves some rows of its hint alone', 'UPDATE t SET n = 0 WHERE id < 9', placesOf('t'), 8],
  ['a DELETE', 'DELETE FROM t WHERE id > 38', placesOf('t', 'id > 38'), 2],
  ['an INSERT', `INSERT INTO t VALUES (100, 'new', 1), (101, NULL, NULL)`, {}, 2],
  ['a change of the key', 'UPDATE t SET id = id + 1000 WHERE id > 38', placesOf('t', 'id > 38'), 4],
  ['rows without a key', `UPDATE keyless SET b = 'c' WHERE a < 4`, placesOf('keyless', 'a < 4'), 6],
  ['both tables of a join', 'UPDATE t SET n = -n FROM keyless WHERE a = id AND a < 6', placesOf('t', 'id < 6'), 5],
]

describe('without searching a table, the rows are found of', () => {
  it.each(FOUND)('%s', async (_, sql, how, rows) => {
    expect(await inWorld(NO_SEARCH, (world) => undone(world, sql, how))).toBe(rows)
  })
})

const TWICE = `DO $$ BEGIN UPDATE t SET n = 1 WHERE id = 3; UPDATE t SET n = 2 WHERE id = 3; END $$`
const TRIED = `DO $$ BEGIN BEGIN UPDATE t SET n = 1 WHERE id = 4; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;
  UPDATE t SET n = 1 WHERE id = 3; END $$`
const SEARCHED: readonly (readonly [title: string, sql: string, how: WriteOptions, rows: number])[] = [
  ['there is no hint', 'UPDATE t SET v = NULL WHERE id = 3', {}, 1],
  ['the hint misses a row', 'UPDATE t SET v = NULL WHERE id IN (3, 4)', placesOf('t', 'id = 3'), 2],
  ['the hint names another row instead', 'UPDATE t SET v = NULL WHERE id = 3', placesOf('t', 'id = 5'), 1],
  ['the hint is of another table', 'UPDATE t SET v = NULL WHERE id = 3', placesOf('keyless'), 1],
  ['a cascade takes rows of another table', 'DELETE FROM t WHERE id = 1', placesOf('t', 'id = 1'), 2],
  ['a row was changed twice', TWICE, placesOf('t', 'id = 3'), 1],
  ['a part of it was taken back', TRIED, placesOf('t', 'id IN (3, 4)'), 1],
  [
    'a row came and went',
    `INSERT INTO t VALUES (100, 'x', 1); DELETE FROM t WHERE id IN (3, 100)`,
    placesOf('t', 'id = 3'),
    1,
  ],
]

describe('a table is searched where', () => {
  it.each(SEARCHED)('%s', async (_, sql, how, rows) => {
    expect(await inWorld(NO_SEARCH, (world) => undone(world, sql, how))).toContain('have to be searched')
    expect(await inWorld({}, (world) => undone(world, sql, how))).toBe(rows)
  })

  it('new rows went to room further up', async () => {
    const insert = `INSERT INTO spacious VALUES (1000, repeat('y', 3000))`
    const write = async (world: UndoWorld) => {
      await world.db.run('DELETE FROM spacious WHERE id < 20')
      await world.db.run('VACUUM spacious')
      return await undone(world, insert, {})
    }
    expect(await inWorld(NO_SEARCH, write)).toContain('have to be searched')
    expect(await inWorld({}, write)).toBe(1)
  })
})

it('a row of the hint that somebody else took meanwhile is theirs', async () => {
  await inWorld({}, async (world) => {
    const { db } = world
    await db.database.withDedicatedSession(async (session) => {
      await session.execute('BEGIN')
      const mark = await markTransaction(session)
      const places = await session.query<RowPlace>(placesOf('t', 'id IN (3, 4)').places)
      await db.run('DELETE FROM t WHERE id = 4')
      await session.execute('UPDATE t SET n = 0 WHERE id IN (3, 4)')
      const touched = await session.query<TouchedTable>(TOUCHED_SQL)
      const request = { mark, touched, places, limits: { ...DEFAULT_UNDO_LIMITS, maxScanBytes: 0 } }
      const [table] = await watchChanges(db.database, session, request)
      expect(table?.rows).toEqual([{ before: ['3', 'v3', '3'], after: ['3', 'v3', '0'] }])
      await session.execute('ROLLBACK')
    })
  })
})

let compared = 0
let nearby = 0
afterAll(() => {
  expect(nearby).toBeGreaterThan(40)
  process.stdout.write(
    `undo nearby: ${compared} writes compared with a search of the tables, ${nearby} found without one\n`,
  )
})

const sorted = (tables: readonly UndoTable[]) =>
  tables
    .map(({ relation, rows }) => ({ relation, rows: rows.map((row) => JSON.stringify(row)).sort() }))
    .sort((left, right) => (JSON.stringify(left.relation) < JSON.stringify(right.relation) ? -1 : 1))

/** What is found nearby, if it is shown to be all, and what the tables show; in one open transaction, which is rolled back. */
async function compare(
  world: UndoWorld,
  write: string,
  places: (session: DatabaseSession) => Promise<readonly RowPlace[]>,
) {
  const { database } = world.db
  await database.withDedicatedSession(async (session) => {
    await session.execute('BEGIN')
    const mark = await markTransaction(session)
    const hint = await places(session)
    await session.execute(write)
    await session.execute('SET CONSTRAINTS ALL IMMEDIATE')
    const touched = await session.query<TouchedTable>(TOUCHED_SQL)
    const impossible = touched.map(({ relation }) => ({ relation, insertedRows: -1, updatedRows: -1, deletedRows: -1 }))
    const limits = { ...DEFAULT_UNDO_LIMITS, maxMs: 30_000 }
    const searched = await watchChanges(database, session, { mark, touched: impossible, limits })
    const near = { mark, touched, places: hint, limits: { ...limits, maxScanBytes: 0 } }
    const found = await watchChanges(database, session, near).catch((error: Error) => error)
    compared += 1
    if (found instanceof Error) expect(found.message).toContain('have to be searched')
    else {
      nearby += 1
      expect(sorted(found)).toEqual(sorted(searched))
    }
    await session.execute('ROLLBACK')
  })
}

describe('what is found nearby is what a search finds', () => {
  it.each(CASES)('$title', async ({ seed, write }) => {
    const world = await openUndoWorld(seed)
    try {
      await compare(world, write, everyPlace)
    } finally {
      await world.close()
    }
  })

  const id = fc.integer({ min: 1, max: 45 })
  const part = fc.oneof(
    id.map((n) => `UPDATE t SET v = v || '!' WHERE id BETWEEN ${n} AND ${n + 3};`),
    // Nothing refers to any row but the first.
    id.map((n) => `UPDATE t SET id = (SELECT max(id) + 1 FROM t) WHERE id = ${n + 1};`),
    id.map((n) => `DELETE FROM t WHERE id = ${n};`),
    id.map((n) => `DELETE FROM keyless WHERE a = ${n};`),
    id.map((n) => `UPDATE keyless SET b = 'x' WHERE a % 9 = ${n % 9};`),
    id.map((n) => `INSERT INTO t VALUES (${n}, 'up', 0) ON CONFLICT (id) DO UPDATE SET v = excluded.v;`),
    id.map((n) => `INSERT INTO keyless VALUES (${n}, 'new');`),
    id.map(
      (n) => `BEGIN UPDATE t SET n = 7 WHERE id = ${n}; DELETE FROM keyless WHERE a = ${n}; PERFORM 1 / (${n} % 2);
        EXCEPTION WHEN division_by_zero THEN NULL; END;`,
    ),
  )
  const scenario = fc.record({
    parts: fc.array(part, { minLength: 1, maxLength: 3 }),
    miss: fc.integer({ min: 0, max: 12 }),
  })

  it('of random writes, with hints that miss some rows', { timeout: 240_000 }, async () => {
    await inWorld({}, (world) =>
      fc.assert(
        fc.asyncProperty(scenario, async ({ parts, miss }) => {
          const hint = async (session: DatabaseSession) =>
            (await everyPlace(session)).filter((_, index) => miss === 0 || index % 13 !== miss)
          await compare(world, `DO $$ BEGIN ${parts.join(' ')} END $$`, hint)
        }),
        { numRuns: 150 },
      ),
    )
  })
})
