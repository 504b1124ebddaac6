/** Large tables are captured by a thread beside the gateway's: what it brings, what it costs when it ends, and that a stop ends it. */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listSessionNames } from '#lib/adapters/native/index.ts'
import { captureRound, type SessionWatch, watchSessions } from '#lib/product/index.ts'
import type { CaptureOrder } from '#lib/recovery/index.ts'
import { type CaptureThreadOptions, openCaptureThread } from '#lib/runtime/capture-thread/index.ts'
import { eventually } from '#test/support/eventually.ts'
import { contentOf, invalidOffers, listAll, lostPoints } from '#test/support/fault/promise.ts'
import { startTestProduct, type TestProduct, type TestProductOptions } from '#test/support/product.ts'
import { readAlerts } from '#test/support/watch/alerts.ts'
import { QUIET, untilFirstLook, untilFirstRound } from '#test/support/watch/quiet.ts'

const BIG = { schema: 'public', name: 'big' } as const
const SEED = `CREATE TABLE small (id int PRIMARY KEY, v int); INSERT INTO small SELECT i, i FROM generate_series(1, 20) i;
  CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 10) AS body FROM generate_series(1, 150000) i;
  ALTER TABLE big ADD PRIMARY KEY (id)`
const ENVIRONMENT = { ...QUIET, BACKSTOP_CAPTURE_THREAD_MEGABYTES: '1' }
const THREAD_SESSIONS = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^backstop-[0-9a-f]{24}$'`

let t: TestProduct
let threads: Worker[]
const onWorker = (worker: Worker) => {
  if (worker.threadName === 'capture') threads.push(worker)
}
beforeEach(() => {
  threads = []
  process.on('worker', onWorker)
})
afterEach(async () => {
  process.off('worker', onWorker)
  await t.stop()
})

async function started(options: TestProductOptions = {}): Promise<void> {
  t = await startTestProduct({ seedSql: SEED, environment: ENVIRONMENT, ...options })
}

/** The thread has rows in hand. */
async function untilCopying(): Promise<Worker> {
  const copying = `${THREAD_SESSIONS} AND state = 'active' AND query LIKE 'COPY%'`
  await eventually(async () => (await t.db.run(copying)).length > 0, {
    timeoutMs: 60_000,
    what: 'a COPY of the thread',
  })
  return threads.at(-1) as Worker
}

/** As the product wires a thread, but for every table. */
const groundOf = (): CaptureThreadOptions => ({
  places: {
    databaseUrl: t.product.databaseUrl,
    storageUrl: pathToFileURL(join(t.folder, 'storage')).href,
    metadataPath: join(t.folder, 'backstop.db'),
    workers: 1,
    maxRowBytes: 1 << 20,
  },
  fromBytes: 0,
  database: t.product.parts.database,
  noteFailure: () => {},
})

async function orderOf(): Promise<CaptureOrder> {
  const [row] = await t.db.run(`SELECT 'big'::regclass::oid::int AS oid`)
  const need = { origin: 'schedule', because: 'no-point', minimumAgeMs: 0, dedupeKey: 'k' } as const
  return { ...need, relation: BIG, relationOid: Number(row?.['oid']), sizeBytes: 1 }
}

const slice = () => ({ recovery: t.product.parts.recovery, db: t.db })
const pointsOf = async (name: string) =>
  (await listAll(t.product.parts.recovery)).filter((point) => point.relation.name === name)
/** What it has or is writing. */
function storedFiles(name: string): readonly string[] {
  const root = join(t.folder, 'storage')
  // Below the root: its own random name may hold anything.
  const isOfTable = (folder: string) => folder.includes(name) || folder.endsWith('.tmp')
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isOfTable(relative(root, entry.parentPath)))
    .map((entry) => entry.name)
}

test('a large table is captured by a thread, a small one beside it is not, and the point brings every row back', async () => {
  await started()
  await untilFirstRound(t, 2)
  expect(threads).toHaveLength(1)
  expect(threads[0]?.threadId).toBe(-1)
  expect(await invalidOffers(slice())).toEqual([])
  const [point] = await pointsOf('big')
  expect(point).toMatchObject({ status: 'valid', rowCount: 150_000, origin: 'schedule' })
  if (point === undefined) throw new Error('no point')
  expect(await lostPoints(slice(), [{ point, content: await contentOf(t.db, BIG) }])).toEqual([])
  expect(await t.db.run(THREAD_SESSIONS)).toEqual([])
})

test('tables that are captured at one instant are captured by a thread together', async () => {
  const key = 'ALTER TABLE small ADD FOREIGN KEY (id) REFERENCES big (id)'
  const folder = await mkdtemp(join(tmpdir(), 'backstop-policy-'))
  const policy = join(folder, 'policy.json')
  await writeFile(policy, JSON.stringify({ foreign_key_grouping_enabled: true }))
  await started({ seedSql: `${SEED}; ${key}`, environment: { ...ENVIRONMENT, BACKSTOP_POLICY: policy } })
  await untilFirstRound(t, 2)
  await rm(folder, { recursive: true })
  expect(threads).toHaveLength(1)
  const points = [...(await pointsOf('big')), ...(await pointsOf('small'))]
  expect(points.map(({ status }) => status)).toEqual(['valid', 'valid'])
  expect(await t.product.parts.recovery.findNewestValidSet([BIG, { schema: 'public', name: 'small' }])).toBeDefined()
})

test('a thread that ends in the middle is told, offers nothing, and the next round captures the table', async () => {
  await started()
  const thread = await untilCopying()
  await thread.terminate()
  await untilFirstRound(t, 1)
  await untilFirstLook(t)
  expect(await pointsOf('big')).toEqual([])
  expect(await pointsOf('small')).toMatchObject([{ status: 'valid' }])
  expect(await invalidOffers(slice())).toEqual([])
  expect((await t.product.parts.recovery.findHeartbeat())?.detail).toContain('1 failed: public.big')
  await eventually(async () => (await readAlerts(t, 'snapshot_capture_lost')).length > 0, { what: 'the alert' })
  expect(await readAlerts(t, 'snapshot_capture_lost')).toMatchObject([
    { severity: 'warning', table_name: 'public.big' },
  ])
  await eventually(async () => (await t.db.run(THREAD_SESSIONS)).length === 0, { what: 'the end of its sessions' })
  expect(await t.query('SELECT v FROM small WHERE id = 3')).toMatchObject({ status: 'executed', row_count: 1 })

  await captureRound(t.product.parts)
  expect(await pointsOf('big')).toMatchObject([{ status: 'valid', rowCount: 150_000 }])
  expect(await invalidOffers(slice())).toEqual([])
  expect(await t.product.parts.recovery.findHeartbeat()).toMatchObject({ isHealthy: true })
  expect(await readAlerts(t, 'snapshot_capture_lost')).toHaveLength(1)
})

test('a thread that runs out of memory is lost with that reason, and the process lives on', async () => {
  await started({ environment: { ...ENVIRONMENT, BACKSTOP_SNAPSHOT_TABLES: 'public.small' } })
  await untilFirstRound(t, 1)
  const copy = openCaptureThread({ ...groundOf(), limits: { maxOldGenerationSizeMb: 10, maxYoungGenerationSizeMb: 1 } })
  const order = await orderOf()
  expect(copy({ ...order, sizeBytes: 0 }, {})).toBeUndefined()
  await expect(copy(order, {})).rejects.toMatchObject({
    code: 'CAPTURE_LOST',
    message: expect.stringContaining('public.big ended before it was done: it ran out of memory'),
  })
  expect(await t.query('SELECT v FROM small WHERE id = 3')).toMatchObject({ status: 'executed' })
})

test('a stop in the middle takes the capture back and leaves nothing behind, and it is no failure', async () => {
  await started()
  await untilCopying()
  await t.product.stop()
  expect(storedFiles('big')).toEqual([])
  expect(threads.map(({ threadId }) => threadId)).toEqual([-1])
  await eventually(async () => (await t.db.run(THREAD_SESSIONS)).length === 0, { what: 'the end of its sessions' })

  t = await t.restart()
  expect(await t.product.parts.recovery.findHeartbeat()).toMatchObject({ isHealthy: true })
  await untilFirstRound(t, 2)
  expect(await pointsOf('big')).toMatchObject([{ status: 'valid' }])
  expect(await invalidOffers(slice())).toEqual([])
  expect(await readAlerts(t, 'snapshot_capture_lost')).toEqual([])
  expect(await readAlerts(t, 'snapshot_capture_failed')).toEqual([])
})

test('what the server refuses the thread keeps its code and its hint', async () => {
  const role = `DROP ROLE IF EXISTS gw_thread; CREATE ROLE gw_thread LOGIN PASSWORD 'x'; GRANT SELECT ON small TO gw_thread`
  await started({ seedSql: `${SEED}; ${role}`, dbUrl: (db) => db.urlAs('gw_thread', 'x') })
  await untilFirstRound(t, 1)
  expect(threads).toHaveLength(1)
  for (let n = 0; n < 2; n++) await captureRound(t.product.parts)
  expect(await readAlerts(t, 'snapshot_capture_failed')).toMatchObject([
    {
      table_name: 'public.big',
      recommended_action: expect.stringContaining('GRANT SELECT'),
      facts: expect.objectContaining({ code: 'TABLE_UNREADABLE' }),
    },
  ])
})

test('sessions of a thread are known as our own, where agents share the role of the gateway', async () => {
  const role = `DROP ROLE IF EXISTS gw_shared; CREATE ROLE gw_shared LOGIN SUPERUSER PASSWORD 'x'`
  const environment = { ...ENVIRONMENT, BACKSTOP_AGENT_ROLE: 'gw_shared', BACKSTOP_SNAPSHOT_TABLES: 'public.small' }
  await started({ seedSql: `${SEED}; ${role}`, environment, dbUrl: (db) => db.urlAs('gw_shared', 'x') })
  await untilFirstRound(t, 1)
  const { parts } = t.product
  const ownProcessIds = () => parts.database.listProcessIds?.() ?? []
  const look = async (watch: SessionWatch) => (await watchSessions(parts, { ownProcessIds, ...watch })).newSessions
  const opened = openCaptureThread(groundOf())
  await t.db.database.withDedicatedSession(async (session) => {
    await session.execute('BEGIN; LOCK TABLE big IN ACCESS EXCLUSIVE MODE')
    const stopping = new AbortController()
    const copying = opened(await orderOf(), { signal: stopping.signal })
    copying?.catch(() => {})
    await eventually(async () => (await t.db.run(THREAD_SESSIONS)).length > 0, { timeoutMs: 60_000, what: 'a session' })
    expect(await look({ ownSessionNames: listSessionNames })).toEqual([])
    expect(await look({})).toMatchObject([{ user: 'gw_shared' }])
    stopping.abort()
    await expect(copying).rejects.toMatchObject({ code: 'RUN_STOPPED' })
  })
})
