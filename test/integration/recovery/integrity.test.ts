/** What is damaged, half-written or forged is refused, and nothing else suffers from it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ObjectStore } from '#lib/ports/index.ts'
import { decodeManifest, encodeManifest, manifestKey } from '#lib/recovery/manifest/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const T = { schema: 'public', name: 't' }
const BIG = { schema: 'public', name: 'big' }
const CHECKSUM_MESSAGE = 'manifest checksum mismatch — snapshot may be corrupted'

let db: TestDatabase
let slice: TestRecovery

beforeAll(async () => {
  db = await createTestDatabase(`
    CREATE TABLE t (id integer PRIMARY KEY, body text);
    INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 500) i;
    CREATE TABLE big AS SELECT i AS id, repeat(md5(i::text), 20) AS body FROM generate_series(1, 60000) i`)
  slice = await openTestRecovery(db.database)
})

afterAll(async () => {
  await slice?.close()
  await db?.drop()
})

function pathOf(key: string): string {
  return join(slice.folder, 'objects', ...key.split('/'))
}

function flipBit(path: string, position: number): () => void {
  const content = readFileSync(path)
  const changed = Buffer.from(content)
  changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8))
  writeFileSync(path, changed)
  return () => writeFileSync(path, content)
}

/** Evenly spread, with both ends. */
function positions(sizeBytes: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => Math.floor((index * (sizeBytes - 1)) / (count - 1)))
}

test('one flipped bit anywhere in a part is refused', async () => {
  const point = await slice.recovery.capture(T, 'manual')
  const { manifest } = await slice.recovery.readManifest(point.snapshotId)
  const path = pathOf(manifest.parts[0]?.key ?? '')
  let refused = 0
  for (const position of positions(manifest.parts[0]?.sizeBytes ?? 0, 40)) {
    const undo = flipBit(path, position)
    const fresh = await openTestRecovery(db.database, { wrapObjects: () => slice.objects })
    const restore = fresh.recovery.restore({ snapshotId: point.snapshotId, isDryRun: true })
    await expect(restore).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT', message: CHECKSUM_MESSAGE })
    await fresh.close()
    undo()
    refused += 1
  }
  expect(refused).toBe(40)
  expect((await slice.recovery.restore({ snapshotId: point.snapshotId, isDryRun: true })).rowCount).toBe(500)
})

test('one flipped bit anywhere in a manifest is refused, and reported without hiding its neighbours', async () => {
  const point = await slice.recovery.capture(T, 'manual')
  const neighbour = await slice.recovery.capture(T, 'manual')
  const path = pathOf(point.manifestKey)
  let refused = 0
  for (const position of positions(readFileSync(path).length, 60)) {
    const undo = flipBit(path, position)
    const report = await slice.recovery.scan(T)
    expect(report.problems.map(({ key }) => key)).toEqual([point.manifestKey])
    expect(report.points.map(({ snapshotId }) => snapshotId)).toContain(neighbour.snapshotId)
    await expect(slice.recovery.readManifest(point.snapshotId)).rejects.toThrow()
    undo()
    refused += 1
  }
  expect(refused).toBe(60)
})

test('a corrupt snapshot is quarantined alone when a restore meets it, and the next older one is offered', async () => {
  const table = { schema: 'public', name: 'quarantine_me' }
  await db.run('CREATE TABLE quarantine_me AS SELECT 1 AS a')
  const older = await slice.recovery.capture(table, 'manual')
  const newer = await slice.recovery.capture(table, 'manual')
  const points = [older, newer].sort((left, right) => (left.snapshotId < right.snapshotId ? 1 : -1))
  const [newest, next] = points
  if (newest === undefined || next === undefined) throw new Error('two points are needed')
  expect((await slice.recovery.findNewestValid(table))?.snapshotId).toBe(newest.snapshotId)
  const { manifest } = await slice.recovery.readManifest(newest.snapshotId)
  flipBit(pathOf(manifest.parts[0]?.key ?? ''), 10)
  await expect(slice.recovery.restore({ snapshotId: newest.snapshotId })).rejects.toMatchObject({
    code: 'SNAPSHOT_CORRUPT',
  })
  expect(await slice.recovery.find(newest.snapshotId)).toMatchObject({
    status: 'quarantined',
    validationError: CHECKSUM_MESSAGE,
  })
  expect((await slice.recovery.findNewestValid(table))?.snapshotId).toBe(next.snapshotId)
  await expect(slice.recovery.restore({ snapshotId: newest.snapshotId })).rejects.toThrow(/is quarantined/)
  expect(await db.run(`SELECT to_regclass('quarantine_me_recovered')::text AS found`)).toEqual([{ found: null }])
})

test('a missing part is refused', async () => {
  const point = await slice.recovery.capture(T, 'manual')
  const { manifest } = await slice.recovery.readManifest(point.snapshotId)
  await slice.objects.delete(manifest.parts[0]?.key ?? '')
  const report = await slice.recovery.scan(T)
  expect(report.problems.map(({ key }) => key)).toContain(point.manifestKey)
  await expect(slice.recovery.restore({ snapshotId: point.snapshotId })).rejects.toMatchObject({
    code: 'SNAPSHOT_CORRUPT',
  })
})

test('a manifest with a valid seal over another content digest is found out after the load, and nothing is kept', async () => {
  const point = await slice.recovery.capture(T, 'manual')
  const { manifest } = await slice.recovery.readManifest(point.snapshotId)
  const forgedId = `snap_${'0'.repeat(32)}` as const
  const forged = { ...manifest, snapshotId: forgedId, content: { ...manifest.content, digest: '12345' } }
  const parts = await Promise.all(
    manifest.parts.map(async (part) => {
      const key = part.key.replace(manifest.snapshotId, forgedId)
      await slice.objects.put(key, await slice.objects.read(part.key))
      return { ...part, key }
    }),
  )
  await slice.objects.put(manifestKey(T, forgedId), encodeManifest({ ...forged, parts }).bytes)
  const restore = slice.recovery.restore({ snapshotId: forgedId, target: { schema: 'public', name: 'forged' } })
  await expect(restore).rejects.toMatchObject({ code: 'RESTORE_MISMATCH' })
  expect(await db.run(`SELECT to_regclass('forged')::text AS found`)).toEqual([{ found: null }])
  await slice.objects.delete(manifestKey(T, forgedId))
})

test('a store that loses the end of an object gives no valid point and keeps nothing of it', async () => {
  const truncating = (objects: ObjectStore): ObjectStore => ({
    put: (key, content, options) => objects.put(key, content, options),
    openUpload: (key, options) => objects.openUpload(key, options),
    read: (key, range) => objects.read(key, range),
    readStream: async function* (key) {
      const content = await objects.read(key)
      yield content.subarray(0, content.length - 1)
    },
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
  })
  const broken = await openTestRecovery(db.database, { wrapObjects: truncating })
  await expect(broken.recovery.capture(T, 'manual')).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect(await broken.recovery.scan()).toEqual({ points: [], problems: [], objectCount: 0 })
  expect((await broken.recovery.list()).points).toEqual([])
  await broken.close()
})

test.for(['1', '100000', '1000000', 'manifest'])(
  'a capture that is killed in the middle (%s) leaves nothing that counts as valid',
  async (moment) => {
    const folder = mkdtempSync(join(tmpdir(), 'backstop-killed-'))
    const script = fileURLToPath(new URL('../../support/recovery/killed-capture.ts', import.meta.url))
    const child = spawn(process.execPath, [script, db.url, folder, BIG.name, moment], { stdio: 'ignore' })
    const signal = await new Promise((resolve) => child.once('exit', (_code, by) => resolve(by)))
    expect(signal).toBe('SIGKILL')
    const after = await openTestRecovery(db.database, { folder })
    expect((await after.recovery.list()).points).toEqual([])
    expect((await after.recovery.scan()).points).toEqual([])
    expect((await after.recovery.capture(BIG, 'manual')).rowCount).toBe(60_000)
    expect((await after.recovery.scan()).points).toHaveLength(1)
    await after.close()
    rmSync(folder, { recursive: true, force: true })
  },
)

test('the catalog can be built again from the storage alone', async () => {
  await slice.recovery.capture(T, 'manual')
  const fresh = await openTestRecovery(db.database, { wrapObjects: () => slice.objects })
  const report = await fresh.recovery.rebuildCatalog()
  expect(report.points.length).toBeGreaterThanOrEqual(3)
  expect((await fresh.recovery.list({ limit: 1_000 })).points).toEqual(report.points)
  await fresh.close()
})

test('a manifest is the same bytes when it is written again', async () => {
  const point = await slice.recovery.capture(T, 'manual')
  const bytes = await slice.objects.read(point.manifestKey)
  const { manifest, sha256 } = decodeManifest(bytes)
  expect(Buffer.from(encodeManifest(manifest).bytes).equals(bytes)).toBe(true)
  expect(sha256).toBe(point.manifestSha256)
})
