/** A large table captured by several sessions of one process: equal to what one session captures, whatever happens meanwhile. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ObjectStore } from '#lib/ports/index.ts'
import type { RangeHelpers } from '#lib/recovery/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const RANGES = { workers: 3, fromBytes: 1_000_000, rangeBytes: 1_048_576 }
const ROWS = 20_000
const wide = (name: string, extra = '') =>
  `CREATE ${extra} TABLE ${name} AS SELECT i AS id, (i % 977)::numeric(10,2) AS price, repeat(md5(i::text), 20) AS body
     FROM generate_series(1, ${ROWS}) i`

let db: TestDatabase
/** Captures with one session. */
let alone: TestRecovery
let opened: TestRecovery[] = []

beforeAll(async () => {
  db = await createTestDatabase(wide('orders'))
  alone = await openTestRecovery(db.database)
})
afterAll(async () => {
  await alone?.close()
  await db?.drop()
})
beforeEach(() => async () => {
  for (const slice of opened) await slice.close()
  opened = []
})

const named = (name: string) => ({ schema: 'public', name })

interface Hooks {
  /** The session that holds the snapshot stores nothing before helpers have come to so many ranges: it could be done first. */
  readonly helpersFirst?: number
  /** Before a helper takes a range; counts from 1. */
  readonly beforeRange?: (count: number, range: number) => Promise<void>
  readonly wrapObjects?: (objects: ObjectStore) => ObjectStore
}

const rangeOf = (key: string) => Number(/part-(\d+)-/.exec(key)?.[1])

async function openParallel(hooks: Hooks = {}) {
  const { helpersFirst = 0 } = hooks
  const failures: unknown[] = []
  const helped = new Set<number>()
  const enough = Promise.withResolvers<void>()
  if (helpersFirst === 0) enough.resolve()
  let taken = 0
  const wrap = (helpers: RangeHelpers): RangeHelpers => ({
    ...helpers,
    run: async (snapshotName, order, signal) => {
      helped.add(order.range.index)
      const count = ++taken
      await hooks.beforeRange?.(count, order.range.index)
      if (count >= helpersFirst) enough.resolve()
      return await helpers.run(snapshotName, order, signal)
    },
    noteFailure: (error) => void failures.push(error),
  })
  const wrapObjects = (plain: ObjectStore) => {
    const objects = hooks.wrapObjects?.(plain) ?? plain
    return wrappedStore(objects, {
      openUpload: async (key, options) => {
        if (!helped.has(rangeOf(key))) await enough.promise
        return await objects.openUpload(key, options)
      },
    })
  }
  const slice = await openTestRecovery(db.database, { parallel: { ...RANGES, wrap }, wrapObjects })
  opened.push(slice)
  return { slice, failures, taken: () => taken }
}

async function captured(slice: TestRecovery, name: string, signal?: AbortSignal) {
  const point = await slice.recovery.capture(named(name), 'manual', signal === undefined ? {} : { signal })
  return (await slice.recovery.readManifest(point.snapshotId)).manifest
}

async function keysOf({ objects }: TestRecovery): Promise<string[]> {
  const keys: string[] = []
  let cursor: string | undefined
  do {
    const page = await objects.list('snapshots/', cursor)
    keys.push(...page.objects.map(({ key }) => key))
    cursor = page.cursor
  } while (cursor !== undefined)
  return keys.sort()
}

const rangesOf = (keys: readonly string[]) =>
  new Set(keys.map((key) => /part-(\d{5})-\d{5}-[0-9a-f]{8}\.parquet$/.exec(key)?.[1]))
const same = (left: string, right: string) =>
  db.run(`SELECT count(*)::integer AS differences FROM (
    (TABLE ${left} EXCEPT ALL TABLE ${right}) UNION ALL (TABLE ${right} EXCEPT ALL TABLE ${left})) d`)

test('ranges together are the whole: rows, digest, manifest and restored table', async () => {
  const { slice, failures, taken } = await openParallel({ helpersFirst: 3 })
  const [whole, manifest] = [await captured(alone, 'orders'), await captured(slice, 'orders')]
  expect(failures).toEqual([])
  expect(taken()).toBeGreaterThan(2)
  expect(rangesOf(whole.parts.map(({ key }) => key))).toHaveLength(1)
  expect(rangesOf(manifest.parts.map(({ key }) => key)).size).toBeGreaterThan(10)
  expect(manifest.content).toEqual(whole.content)
  expect(manifest.content.rowCount).toBe(ROWS)
  expect(manifest.parts.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(ROWS)
  const keys = manifest.parts.map(({ key }) => key)
  expect(keys).toEqual([...keys].sort())
  expect((await keysOf(slice)).filter((key) => key.endsWith('.parquet'))).toEqual(keys)
  await slice.recovery.restore({ snapshotId: manifest.snapshotId })
  expect(await same('orders', 'orders_recovered')).toEqual([{ differences: 0 }])
})

test('what is written while the ranges are captured is not in them, and a rewrite of the table waits', async () => {
  await db.run(`${wide('busy')}; CREATE TABLE busy_before AS TABLE busy`)
  let rewritten: Promise<unknown> = Promise.resolve()
  const { slice, failures } = await openParallel({
    helpersFirst: 3,
    beforeRange: async (count) => {
      if (count !== 3) return
      await db.run(`UPDATE busy SET body = 'new', price = 1; DELETE FROM busy WHERE id % 7 = 0`)
      await db.run(`INSERT INTO busy SELECT i, 5, repeat('later', 200) FROM generate_series(90000, 110000) i`)
      await db.run('VACUUM busy')
      rewritten = db.run('VACUUM FULL busy')
      await eventually(
        async () =>
          (await db.run(`SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'busy'::regclass`)).length > 0,
      )
    },
  })
  const manifest = await captured(slice, 'busy')
  expect(manifest.content.rowCount).toBe(ROWS)
  // Whoever came behind the rewrite was refused, not kept waiting; the session that holds the snapshot did its ranges.
  expect(failures).not.toEqual([])
  for (const failure of failures) expect(failure).toMatchObject({ failure: { sqlState: '55P03' } })
  await slice.recovery.restore({ snapshotId: manifest.snapshotId })
  expect(await same('busy_before', 'busy_recovered')).toEqual([{ differences: 0 }])
  await rewritten
})

test('a decimal that does not fit in one range widens its column in all of them', async () => {
  await db.run(`${wide('priced')}; INSERT INTO priced VALUES (0, 'NaN', repeat('x', 900))`)
  const { slice } = await openParallel()
  const manifest = await captured(slice, 'priced')
  expect(manifest.content.columns[1]).toMatchObject({ name: 'price', encoding: { kind: 'numeric' } })
  expect(manifest.content.rowCount).toBe(ROWS + 1)
  expect((await keysOf(slice)).filter((key) => key.endsWith('.parquet'))).toEqual(manifest.parts.map(({ key }) => key))
  await slice.recovery.restore({ snapshotId: manifest.snapshotId })
  expect(await same('priced', 'priced_recovered')).toEqual([{ differences: 0 }])
})

test('a helper whose session is killed gives its range back', async () => {
  const helped = new Set<number>()
  let isKilled = false
  const { slice, failures } = await openParallel({
    beforeRange: async (_count, range) => void helped.add(range),
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        openUpload: async (key, options) => {
          const isHelpers = helped.has(rangeOf(key))
          if (isHelpers && !isKilled) {
            isKilled = true
            await terminate(`query LIKE '%t.ctid%' AND pid <> ${await coordinator()}`)
          }
          return await objects.openUpload(key, options)
        },
      }),
  })
  const manifest = await captured(slice, 'orders')
  expect(failures).not.toEqual([])
  expect(manifest.content.rowCount).toBe(ROWS)
  expect((await keysOf(slice)).filter((key) => key.endsWith('.parquet'))).toEqual(manifest.parts.map(({ key }) => key))
  await slice.recovery.restore({ snapshotId: manifest.snapshotId, target: named('orders_killed') })
  expect(await same('orders', 'orders_killed')).toEqual([{ differences: 0 }])
})

test('a coordinator whose session is killed takes everything back', async () => {
  const { slice } = await openParallel({
    helpersFirst: 3,
    beforeRange: async (count) => {
      if (count === 3) await terminate(`pid = ${await coordinator()}`)
    },
  })
  await expect(captured(slice, 'orders')).rejects.toThrow()
  expect(await keysOf(slice)).toEqual([])
  await eventually(async () => (await db.run(CAPTURING)).length === 0, { what: 'the end of all its sessions' })
})

test('a capture that is stopped ends all its sessions and leaves nothing', async () => {
  const controller = new AbortController()
  const { slice } = await openParallel({
    helpersFirst: 4,
    beforeRange: async (count) => {
      if (count === 4) controller.abort()
    },
  })
  await expect(captured(slice, 'orders', controller.signal)).rejects.toMatchObject({ code: 'RUN_STOPPED' })
  expect(await keysOf(slice)).toEqual([])
  await eventually(async () => (await db.run(CAPTURING)).length === 0)
})

test('storage that fails for good fails the capture, and what was stored is removed', async () => {
  let isBroken = false
  const { slice } = await openParallel({
    wrapObjects: (objects) =>
      wrappedStore(objects, {
        openUpload: async (key, options) => {
          if (key.includes('part-00004-')) isBroken = true
          if (isBroken) throw new Error('the disk is full')
          return await objects.openUpload(key, options)
        },
      }),
  })
  await expect(captured(slice, 'orders')).rejects.toThrow('the disk is full')
  expect(await keysOf(slice)).toEqual([])
})

test('unlogged tables, holes, and values beside the table come back equal', async () => {
  await db.run(`${wide('unlogged', 'UNLOGGED')}; ${wide('holes')}; DELETE FROM holes WHERE id BETWEEN 2000 AND 17000;
    CREATE TABLE documents (id integer, body text); ALTER TABLE documents ALTER body SET STORAGE EXTERNAL;
    INSERT INTO documents SELECT i, repeat(md5(i::text), 500) FROM generate_series(1, 800) i`)
  for (const name of ['unlogged', 'holes', 'documents']) {
    const { slice, taken } = await openParallel()
    const manifest = await captured(slice, name)
    expect(taken()).toBeGreaterThan(0)
    expect(manifest.parts.length).toBeGreaterThan(1)
    await slice.recovery.restore({ snapshotId: manifest.snapshotId })
    expect(await same(name, `${name}_recovered`)).toEqual([{ differences: 0 }])
  }
})

test("small tables, partitioned tables and tables in a caller's transaction are captured by one session", async () => {
  await db.run(`CREATE TABLE small AS SELECT 1 AS a;
    CREATE TABLE parted (id integer, body text) PARTITION BY RANGE (id);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100000);
    INSERT INTO parted SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 4000) i`)
  const { slice, taken } = await openParallel()
  for (const name of ['small', 'parted']) await captured(slice, name)
  await db.database.withSession(async (session) => {
    await session.execute('BEGIN; LOCK TABLE orders')
    const [point] = await slice.recovery.captureWithin(session, [named('orders')], 'final')
    expect(point?.rowCount).toBe(ROWS)
    await session.execute('ROLLBACK')
  })
  expect(taken()).toBe(0)
})

const CAPTURING = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE '%COPY (SELECT%'
  AND pid <> pg_backend_pid()`

/** It reads the first range, or says that it is still there: whoever imported the snapshot has never done that. */
async function coordinator(): Promise<number> {
  const rows = await db.run(`SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.relation = 'orders'::regclass AND l.mode = 'AccessShareLock' AND a.backend_xmin IS NOT NULL
    ORDER BY a.backend_start LIMIT 1`)
  return Number(rows[0]?.['pid'] ?? 0)
}

async function terminate(condition: string): Promise<void> {
  await db.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${condition}`)
}
