/** Sets of tables at one instant, under writers that never rest. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RelationName, SetId } from '#lib/kernel/index.ts'
import type { Database, RecoveryPoint } from '#lib/ports/index.ts'
import { PointCatalog } from '#lib/recovery/catalog/index.ts'
import { SetCatalog } from '#lib/recovery/set/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import { keepMovingMoney } from '#test/support/recovery/money.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const KILLED_SET = fileURLToPath(new URL('../../support/recovery/killed-set.ts', import.meta.url))

const SEED = `
  CREATE TABLE checking (id integer PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE savings (id integer PRIMARY KEY REFERENCES checking (id), balance bigint NOT NULL);
  CREATE TABLE transfer (id bigserial PRIMARY KEY, account integer NOT NULL REFERENCES checking (id), amount bigint NOT NULL);
  INSERT INTO checking SELECT i, 1000 FROM generate_series(1, 200) i;
  INSERT INTO savings SELECT i, 0 FROM generate_series(1, 200) i;
`
const CHECKING: RelationName = { schema: 'public', name: 'checking' }
const SAVINGS: RelationName = { schema: 'public', name: 'savings' }
const TRANSFER: RelationName = { schema: 'public', name: 'transfer' }
const ALL = [CHECKING, SAVINGS, TRANSFER]
const TOTAL = 200_000

let db: TestDatabase
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database)
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

/** What lies in the recovered tables, and whether the book of transfers explains it. */
async function balances(suffix: string) {
  const rows = await db.run(
    `SELECT (SELECT sum(balance) FROM checking${suffix})::int AS checking, (SELECT sum(balance) FROM savings${suffix})::int AS savings,
       (SELECT coalesce(sum(amount), 0) FROM transfer${suffix})::int AS moved`,
  )
  const { checking, savings, moved } = rows[0] as { checking: number; savings: number; moved: number }
  return { total: checking + savings, isExplained: savings === moved, moved }
}

test('money that moves between tables all the time is neither lost nor doubled in any set, and is in single captures', async () => {
  const writers = await keepMovingMoney(db.url, { writers: 3, accounts: 200 })
  let broken = 0
  try {
    for (let round = 0; round < 5; round += 1) {
      await writers.moved(20)
      const { set, points } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
      expect(set.status).toBe('valid')
      expect(points.map(({ setId }) => setId)).toEqual([set.setId, set.setId, set.setId])
      await slice.recovery.sets.restore({ setId: set.setId, suffix: `_${round}` })
      const { total, isExplained, moved } = await balances(`_${round}`)
      expect({ total, isExplained }).toEqual({ total: TOTAL, isExplained: true })
      expect(moved).toBeGreaterThan(0)

      // The same tables one after the other, with the writers at work in between.
      for (const relation of ALL) {
        const point = await slice.recovery.capture(relation, 'manual')
        await slice.recovery.restore({
          snapshotId: point.snapshotId,
          target: { schema: 'public', name: `${relation.name}_single_${round}` },
        })
        await writers.moved(20)
      }
      const single = await balances(`_single_${round}`)
      if (single.total !== TOTAL || !single.isExplained) broken += 1
    }
  } finally {
    await writers.stop()
  }
  // Each writer moves money out of one table before it comes into the other's copy: no single round can hold.
  expect(broken).toBe(5)
})

test('every member has the LSN and the capture of the set, and the list says what holds them together', async () => {
  const { set } = await slice.recovery.sets.capture({ kind: 'connected', tables: [SAVINGS] }, 'manual')
  expect(set.members.map(({ relation }) => relation.name)).toEqual(['checking', 'savings', 'transfer'])
  const manifests = await Promise.all(
    set.members.map(async ({ snapshotId }) => (await slice.recovery.readManifest(snapshotId)).manifest),
  )
  expect(manifests.map(({ source }) => source.lsn)).toEqual([set.lsn, set.lsn, set.lsn])
  expect(new Set(manifests.map(({ source }) => source.stateMark)).size).toBe(1)
  expect(manifests.map(({ setId }) => setId)).toEqual([set.setId, set.setId, set.setId])
  const [sealed] = (await slice.recovery.sets.scan()).sets
  expect(sealed?.manifest.keys.inside.map(({ name }) => name)).toEqual(['savings_id_fkey', 'transfer_account_fkey'])
  expect(sealed?.manifest.source.heldBy).toBe('exported')
  expect(await slice.recovery.sets.find(set.setId)).toEqual(set)
  expect((await slice.recovery.sets.list()).sets).toEqual([set])
})

test('each member is an ordinary point of its table', async () => {
  const { points } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  for (const point of points) {
    expect(await slice.recovery.findNewestValid(point.relation)).toEqual(point)
    expect(await slice.recovery.findNewestValidSet([...ALL].reverse())).toEqual(expect.arrayContaining([point]))
  }
  expect(await slice.recovery.findNewestValidSet([CHECKING, SAVINGS])).toBeUndefined()
})

test('a member that fails leaves the others as points of their tables, and no set', async () => {
  await db.run('CREATE TABLE odd (v pg_node_tree)')
  const odd = { schema: 'public', name: 'odd' }
  const work = slice.recovery.sets.capture({ kind: 'tables', tables: [...ALL, odd] }, 'manual')
  await expect(work).rejects.toMatchObject({ code: 'COLUMN_TYPE_UNSUPPORTED' })
  expect(await slice.recovery.sets.list()).toEqual({ sets: [] })
  expect(await slice.recovery.sets.scan()).toEqual({ sets: [], problems: [] })
  const { points } = await slice.recovery.list()
  for (const point of points) expect(point.status).toBe(point.relation.name === 'odd' ? 'invalid' : 'valid')
})

/** The database, with something done before each connection of its own is lent; told how many came before. */
function before(act: (earlier: number) => Promise<unknown>): Database {
  let lent = 0
  return {
    label: db.database.label,
    withSession: (use) => db.database.withSession(use),
    withDedicatedSession: async (use) => {
      await act(lent++)
      return await db.database.withDedicatedSession(use)
    },
    cancel: (processId) => db.database.cancel(processId),
    close: async () => {},
  }
}

test('the tables that hang together are those of the snapshot, also when a key comes between plan and lock', async () => {
  await db.run('CREATE TABLE late (id integer PRIMARY KEY)')
  const racing = before(async (earlier) => {
    if (earlier === 0) await db.run('ALTER TABLE late ADD FOREIGN KEY (id) REFERENCES checking (id)')
  })
  const other = await openTestRecovery(racing)
  const { set } = await other.recovery.sets.capture({ kind: 'connected', tables: [CHECKING] }, 'manual')
  expect(set.members.map(({ relation }) => relation.name)).toEqual(['checking', 'late', 'savings', 'transfer'])
  await other.close()
})

test('keys that never stand still end the capture with a reason', async () => {
  const racing = before((earlier) =>
    db.run(`CREATE TABLE late_${earlier} (id integer PRIMARY KEY REFERENCES checking (id))`),
  )
  const other = await openTestRecovery(racing)
  const work = other.recovery.sets.capture({ kind: 'connected', tables: [CHECKING] }, 'manual')
  await expect(work).rejects.toMatchObject({ code: 'SET_CHANGED' })
  expect((await other.recovery.list()).points).toEqual([])
  await other.close()
})

test('while somebody waits to change the tables one session reads them all, and nobody waits for ever', async () => {
  const changer = new Client({ connectionString: db.url })
  await changer.connect()
  let changing: Promise<unknown> | undefined
  const blocked = before(async (earlier) => {
    if (earlier !== 1) return
    changing = changer.query('ALTER TABLE checking ADD note text; ALTER TABLE transfer ADD note text')
    const waiting = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'checking'::regclass`
    await eventually(async () => (await db.run(waiting)).length > 0, { what: 'the change to wait for its lock' })
  })
  const other = await openTestRecovery(blocked)
  const { set } = await other.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  expect(set.members).toHaveLength(3)
  await changing
  await changer.end()
  await other.close()
})

test.for(['1', '5000', 'list'])(
  'a process that is killed while it writes (%s) leaves no set behind',
  async (moment) => {
    await db.run(`INSERT INTO transfer (account, amount) SELECT 1, i FROM generate_series(1, 20000) i`)
    const child = spawnSync(process.execPath, [KILLED_SET, 'capture', db.url, slice.folder, moment], {
      encoding: 'utf8',
    })
    expect({ signal: child.signal, stderr: child.stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
    expect((await slice.recovery.sets.scan()).sets).toEqual([])
    expect((await slice.recovery.sets.list()).sets).toEqual([])
    expect(await slice.recovery.findNewestValidSet(ALL)).toBeUndefined()
    const { points } = await slice.recovery.scan()
    if (moment === 'list') expect(points).toHaveLength(3)
    for (const point of points) await slice.recovery.restore({ snapshotId: point.snapshotId })
  },
)

test('a quarantined member makes the set invalid, and the others stay valid alone', async () => {
  const { set, points } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  const bad = points[1] as RecoveryPoint
  await slice.recovery.quarantine(bad.snapshotId, 'planted')
  expect(await slice.recovery.sets.find(set.setId)).toMatchObject({
    status: 'invalid',
    problem: `snapshot ${bad.snapshotId} of public.${bad.relation.name} is quarantined: planted`,
  })
  expect(await slice.recovery.findNewestValidSet(ALL)).toBeUndefined()
  await expect(slice.recovery.sets.restore({ setId: set.setId })).rejects.toMatchObject({ code: 'SET_INVALID' })
  for (const { snapshotId } of points) {
    const found = await slice.recovery.find(snapshotId)
    expect(found?.status).toBe(snapshotId === bad.snapshotId ? 'quarantined' : 'valid')
  }
})

test('a part that rots is found by the restore: its member is set aside, nothing is kept in the database', async () => {
  const { set, points } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  const bad = points[0] as RecoveryPoint
  const { manifest } = await slice.recovery.readManifest(bad.snapshotId)
  const key = manifest.parts[0]?.key ?? ''
  const bytes = Buffer.from(await slice.objects.read(key))
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  await slice.objects.put(key, bytes)
  await expect(slice.recovery.sets.restore({ setId: set.setId })).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect((await slice.recovery.find(bad.snapshotId))?.status).toBe('quarantined')
  expect((await slice.recovery.sets.find(set.setId))?.status).toBe('invalid')
  expect(await db.run(`SELECT FROM pg_class WHERE relname LIKE '%recovered%'`)).toEqual([])
})

test('a list that was changed is refused, and the set is not offered any more', async () => {
  const { set } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  const text = Buffer.from(await slice.objects.read(set.manifestKey)).toString()
  await slice.objects.put(set.manifestKey, Buffer.from(text.replace('"rowCount":200', '"rowCount":201')))
  await expect(slice.recovery.sets.restore({ setId: set.setId })).rejects.toMatchObject({ code: 'SET_INVALID' })
  expect(await slice.recovery.sets.find(set.setId)).toMatchObject({ status: 'invalid' })
  const { sets, problems } = await slice.recovery.sets.scan()
  expect({ sets, codes: problems.map(({ code }) => code) }).toEqual({ sets: [], codes: ['SET_INVALID'] })
})

test('the catalog of sets is built anew from the storage alone', async () => {
  const { set } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  const fresh = await openTestRecovery(db.database, { objectsOf: slice })
  await fresh.recovery.rebuildCatalog()
  expect(await fresh.recovery.sets.find(set.setId)).toEqual(set)
  await fresh.recovery.sets.restore({ setId: set.setId })
  await fresh.close()
})

test('relations that the caller has locked become a set in its transaction, which goes on as if nothing had been', async () => {
  const points = await db.database.withSession(async (session) => {
    await session.execute('BEGIN; LOCK TABLE checking, savings IN SHARE ROW EXCLUSIVE MODE')
    const taken = await slice.recovery.captureWithin(session, [SAVINGS, CHECKING], 'final')
    await session.execute('DROP TABLE savings, checking CASCADE; COMMIT')
    return taken
  })
  const setId = points[0]?.setId as SetId
  const set = await slice.recovery.sets.find(setId)
  expect(set).toMatchObject({ status: 'valid', origin: 'final' })
  expect(set?.members.map(({ relation }) => relation.name)).toEqual(['checking', 'savings'])
  const report = await slice.recovery.sets.restore({ setId })
  expect(report.keys).toEqual(['foreign key savings_id_fkey of public.savings_recovered'])
})

test('one relation alone is a point and no set', async () => {
  const [point] = await db.database.withSession(async (session) => {
    await session.execute('BEGIN')
    return await slice.recovery.captureWithin(session, [SAVINGS], 'final')
  })
  expect(point?.setId).toBeUndefined()
  expect((await slice.recovery.sets.list()).sets).toEqual([])
})

test('a set that is forgotten is gone from catalog and storage, and its members stay points of their tables', async () => {
  const { set, points } = await slice.recovery.sets.capture({ kind: 'tables', tables: ALL }, 'manual')
  const catalog = new SetCatalog(slice.records, new PointCatalog(slice.records))
  for (let times = 0; times < 2; times += 1) await catalog.remove(set.setId, slice.objects)
  expect(await slice.recovery.sets.find(set.setId)).toBeUndefined()
  expect((await slice.recovery.sets.scan()).sets).toEqual([])
  await expect(slice.recovery.sets.restore({ setId: set.setId })).rejects.toMatchObject({ code: 'SET_MISSING' })
  for (const { snapshotId } of points) expect((await slice.recovery.find(snapshotId))?.status).toBe('valid')
})
