/** Points that were set aside, read again when the storage is mended, over files that a product has written. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { PointCatalog } from '#lib/recovery/catalog/index.ts'
import { openRetentionTools, readConfig } from '#lib/runtime/index.ts'
import { runInProcess } from '#test/support/cli/fake-io.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const T = { schema: 'public', name: 't' }
const CHECK = { budgetBytes: 1_000_000, maxPoints: 10 }
const WHY = ['--reinstate', '--reason', 'the proxy was replaced', '--by', 'ada']

let db: TestDatabase
let slice: TestRecovery
let point: RecoveryPoint
let partKey: string
let whole: Uint8Array

beforeEach(async () => {
  db = await createTestDatabase('CREATE TABLE t AS SELECT generate_series(1, 500) AS v')
  slice = await openTestRecovery(db.database, { clock: systemClock })
  point = await slice.recovery.capture(T, 'manual')
  const { objects } = await slice.objects.list(point.manifestKey.replace('manifest.json', 'part-'))
  partKey = String(objects[0]?.key)
  whole = await slice.objects.read(partKey)
})
afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

/** As a bad disk does: the same length, another byte. */
async function damage(): Promise<void> {
  const flipped = Uint8Array.from(whole)
  flipped[40] = (flipped[40] ?? 0) ^ 1
  await slice.objects.put(partKey, flipped)
}

async function setAside(): Promise<void> {
  await damage()
  expect((await slice.recovery.verifyPoints(CHECK)).corrupt).toHaveLength(1)
}

const environment = () => ({
  BACKSTOP_STORAGE_URL: `file://${join(slice.folder, 'objects')}`,
  BACKSTOP_METADATA_DB: join(slice.folder, 'records.db'),
})

async function cli(...words: string[]) {
  const { exitCode, stdout, stderr } = await runInProcess([...words, '--json'], { environment: environment() })
  return { exitCode, body: JSON.parse(stdout === '' ? stderr : stdout) }
}

const verify = (...words: string[]) => cli('snapshots', 'verify', point.snapshotId, ...words)
const statusNow = async () => (await slice.recovery.find(point.snapshotId))?.status

async function eventsAndAlerts() {
  const tools = await openRetentionTools({
    ...readConfig({}, '.'),
    storageUrl: environment().BACKSTOP_STORAGE_URL,
    metadataPath: environment().BACKSTOP_METADATA_DB,
  })
  try {
    const { records } = await slice.records.query({ partition: 'alerts' })
    return { events: (await tools.ledger.list({ limit: 10 })).events, alerts: records.map(({ body }) => body['alert']) }
  } finally {
    await tools.close()
  }
}

test('a point whose bytes are right again is offered again, restores, and is checked again from then on', async () => {
  await setAside()
  expect(await slice.recovery.findNewestValid(T)).toBeUndefined()
  await slice.objects.put(partKey, whole)
  const looked = await verify()
  expect(looked).toMatchObject({ exitCode: 0, body: { verdict: 'whole', reinstated: false, set_aside: false } })
  expect(looked.body.snapshot).toMatchObject({ status: 'quarantined' })
  const { exitCode, body } = await verify(...WHY)
  expect({ exitCode, ...body }).toMatchObject({ exitCode: 0, verdict: 'whole', reason: null, reinstated: true })
  expect(body.snapshot).toMatchObject({ status: 'valid', validation_error: null })
  expect(await slice.recovery.find(point.snapshotId)).toEqual(point)
  expect((await slice.recovery.restore({ snapshotId: point.snapshotId })).rowCount).toBe(500)
  expect(await slice.recovery.verifyPoints(CHECK)).toMatchObject({ checked: 1, corrupt: [] })
  await damage()
  expect((await slice.recovery.verifyPoints(CHECK)).corrupt).toHaveLength(1)
})

test('one that is still damaged stays set aside, and the exit code and the reason say so', async () => {
  await setAside()
  const { exitCode, body } = await verify(...WHY)
  expect({ exitCode, ...body }).toMatchObject({ exitCode: 1, verdict: 'corrupt', reinstated: false, set_aside: false })
  expect(body.reason).toMatch(/checksum mismatch/)
  expect(await statusNow()).toBe('quarantined')
  const { stdout } = await runInProcess(['snapshots', 'verify', point.snapshotId], { environment: environment() })
  expect(stdout).toMatch(/stays set aside/)
})

test('who reinstates, why, and what came of it is in the ledger; the incident is over', async () => {
  await setAside()
  await verify(...WHY)
  await slice.objects.put(partKey, whole)
  await verify(...WHY)
  const { events, alerts } = await eventsAndAlerts()
  const facts = { snapshotId: point.snapshotId, reason: 'the proxy was replaced' }
  const intent = { action: 'snapshot-reinstated', principal: 'ada', facts }
  expect(events).toMatchObject([
    { intent, result: { outcome: 'recorded' } },
    { intent, result: { outcome: 'failed', errorCode: 'SNAPSHOT_CORRUPT' } },
  ])
  const incidentKey = `corrupt:${point.snapshotId}`
  expect(alerts).toMatchObject([{ eventType: 'snapshot_reinstated', incidentKey, state: 'resolved' }])
})

test('a valid point that is found damaged is set aside, as by any check', async () => {
  await damage()
  expect(await verify()).toMatchObject({ exitCode: 1, body: { verdict: 'corrupt', set_aside: true } })
  expect(await statusNow()).toBe('quarantined')
})

test('a storage that does not answer proves nothing: the point stays what it was', async () => {
  await setAside()
  const elsewhere = { ...environment(), BACKSTOP_STORAGE_URL: `file://${join(slice.folder)}` }
  const { exitCode, stdout } = await runInProcess(['snapshots', 'verify', point.snapshotId, ...WHY, '--json'], {
    environment: elsewhere,
  })
  expect({ exitCode, verdict: JSON.parse(stdout).verdict }).toEqual({ exitCode: 1, verdict: 'unknown' })
  expect(await statusNow()).toBe('quarantined')
})

test('a manifest that was exchanged as a whole is found out by the digest in the catalog', async () => {
  await setAside()
  await slice.objects.put(partKey, whole)
  const other = await slice.recovery.capture(T, 'manual')
  await slice.objects.put(point.manifestKey, await slice.objects.read(other.manifestKey))
  expect(await verify(...WHY)).toMatchObject({ exitCode: 1, body: { verdict: 'corrupt', reinstated: false } })
})

test('a point that is being removed, that never was one, or is not there, is refused', async () => {
  const catalog = new PointCatalog(slice.records)
  await catalog.retire(point, [])
  expect(await verify(...WHY)).toMatchObject({ exitCode: 1, body: { error: { code: 'SNAPSHOT_RETIRED' } } })
  const absent = `snap_${'0'.repeat(32)}`
  expect((await cli('snapshots', 'verify', absent)).body).toMatchObject({ error: { code: 'SNAPSHOT_MISSING' } })
  expect((await cli('snapshots', 'verify', 'snap_1')).exitCode).toBe(2)
  expect((await verify('--reinstate')).exitCode).toBe(2)
})
