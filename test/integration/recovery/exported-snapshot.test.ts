/** One exported snapshot on a real server: several sessions see the same instant, and none outlives its coordinator. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inExportedSnapshot, inImportedSnapshot, SNAPSHOT_GONE_STATES } from '#lib/recovery/snapshot/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase()
  await db.run('CREATE TABLE zebra AS SELECT i FROM generate_series(1, 10) i; CREATE TABLE ant AS TABLE zebra')
})

afterAll(async () => {
  await db?.drop()
})

const named = (name: string) => ({ schema: 'public', name })
const BOTH = [named('zebra'), named('ant')]
const COUNT =
  'SELECT (SELECT count(*) FROM public.zebra)::integer + (SELECT count(*) FROM public.ant)::integer AS count'

test('every session sees the instant of the coordinator, whatever is written meanwhile', async () => {
  const seen = await inExportedSnapshot(db.database, BOTH, async (snapshot) => {
    expect(snapshot.found.map(({ relation }) => relation.name)).toEqual(['zebra', 'ant'])
    await db.run('INSERT INTO zebra VALUES (11); DELETE FROM ant')
    const counts = [1, 2].map(() => snapshot.import(async (session) => await session.query(COUNT)))
    return [await snapshot.session.query(COUNT), ...(await Promise.all(counts))]
  })
  expect(seen).toEqual(Array.from({ length: 3 }, () => [{ count: 20 }]))
  expect(await db.run(COUNT)).toEqual([{ count: 11 }])
})

test('a session of another process imports it by name, and finds it gone after the coordinator', async () => {
  const enter = async (name: string) =>
    await inImportedSnapshot(db.database, name, BOTH, async (session) => await session.query(COUNT))
  const name = await inExportedSnapshot(db.database, BOTH, async (snapshot) => {
    const exported = await snapshot.exportName()
    expect(await enter(exported)).toEqual([{ count: 11 }])
    return exported
  })
  const error = await enter(name).catch((thrown: { failure: { sqlState: string } }) => thrown)
  expect(SNAPSHOT_GONE_STATES).toContain((error as { failure: { sqlState: string } }).failure.sqlState)
})

test('an import does not wait behind somebody who waits for the coordinator', async () => {
  let dropped: Promise<unknown> = Promise.resolve()
  const refused = await inExportedSnapshot(db.database, BOTH, async (snapshot) => {
    await snapshot.exportName()
    dropped = db.run('ALTER TABLE ant ADD COLUMN later integer')
    await eventually(async () => {
      const waiting = await db.run(`SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'ant'::regclass`)
      return waiting.length > 0
    })
    // The other table alone can still be had.
    expect(await snapshot.import(async (session) => await session.query('SELECT 1 AS one'), [named('zebra')])).toEqual([
      { one: 1 },
    ])
    return await snapshot.import(async () => 'entered').catch((error: unknown) => error)
  })
  expect(refused).toMatchObject({ failure: { sqlState: '55P03' } })
  await dropped
})

test('a coordinator that fails takes its imported sessions with it before it ends', async () => {
  let imported: Promise<unknown> = Promise.resolve()
  const failed = inExportedSnapshot(db.database, BOTH, async (snapshot) => {
    let isIn: () => void = () => undefined
    const entered = new Promise<void>((resolve) => {
      isIn = resolve
    })
    imported = snapshot.import(async (session) => {
      isIn()
      await session.query('SELECT pg_sleep(600)')
    })
    imported.catch(() => undefined)
    await entered
    throw new Error('the coordinator failed')
  })
  await expect(failed).rejects.toThrow('the coordinator failed')
  await expect(imported).rejects.toThrow()
  expect(
    await db.run(`SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`),
  ).toEqual([])
})
