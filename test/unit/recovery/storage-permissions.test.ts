/** What the doctor says of a storage that refuses, allows too much, or lies. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { examineStorage, type StorageFacts } from '#lib/recovery/index.ts'
import { type DrillWorld, openDrillWorld } from '#test/support/recovery/drill-world.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const BUCKET: StorageFacts = { kind: 's3', place: 'prod', prefix: '', unknown: [], isVersioned: false, isLocked: false }
const denied = (what: string) => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', `${what} was denied`))

let world: DrillWorld
beforeEach(async () => {
  world = await openDrillWorld()
})
afterEach(() => world.close())

/** As a bucket with a policy that denies s3:DeleteObject, and s3:PutObject without If-None-Match. */
const guarded = (): ObjectStore =>
  wrappedStore(world.objects, {
    delete: () => denied('DeleteObject'),
    put: (key, content, options) =>
      options?.ifAbsent === true ? world.objects.put(key, content, options) : denied('PutObject'),
  })

const examine = (objects: ObjectStore, isStrict: boolean, facts = BUCKET) =>
  examineStorage({ objects, random: world.random, facts }, { isStrict })

test('strict passes where neither deletion nor replacement is allowed, and says what stays', async () => {
  const report = await examine(guarded(), true)
  expect(report).toMatchObject({
    ok: true,
    writeOk: true,
    readOk: true,
    listOk: true,
    conditionalWriteOk: true,
    deleteAllowed: false,
    overwriteAllowed: false,
    deletableFolders: [],
    deleteError: 'DeleteObject was denied',
    problems: [],
    skipped: [{ subject: report.testKey, reason: expect.stringContaining('stays') }],
  })
  expect(await world.keys()).toEqual([report.testKey])
})

test('what may delete fails strict alone, and is warned of otherwise', async () => {
  const strict = await examine(world.objects, true)
  expect(strict.ok).toBe(false)
  expect(strict.deletableFolders).toContain('wal')
  expect(strict.problems.map(({ severity, fix }) => [severity, fix.length > 20])).toEqual([
    ['failed', true],
    ['failed', true],
  ])
  const plain = await examine(world.objects, false)
  expect(plain).toMatchObject({ ok: true, deleteAllowed: true, overwriteAllowed: true })
  expect(plain.problems.map(({ severity }) => severity)).toEqual(['warning', 'warning'])
  expect(await world.keys()).toEqual([])
})

test('one folder in which deletion is allowed is enough to fail strict', async () => {
  const objects = wrappedStore(guarded(), {
    delete: (key) => (key.startsWith('wal/') ? world.objects.delete(key) : denied('DeleteObject')),
  })
  const report = await examine(objects, true)
  expect(report).toMatchObject({ ok: false, deleteAllowed: false, deletableFolders: ['wal'] })
})

test('replacement is a warning where the bucket keeps old versions', async () => {
  const objects = wrappedStore(world.objects, { delete: () => denied('DeleteObject') })
  expect((await examine(objects, true)).ok).toBe(false)
  const versioned = await examine(objects, true, { ...BUCKET, isVersioned: true })
  expect(versioned).toMatchObject({ ok: true, problems: [{ severity: 'warning' }] })
})

test.each([
  ['put', { writeOk: false, readOk: false }],
  ['read', { writeOk: true, readOk: false }],
  ['list', { writeOk: true, listOk: false }],
] as const)('a storage that refuses to %s is told, with how to mend it', async (method, seen) => {
  const report = await examine(wrappedStore(world.objects, { [method]: () => denied(method) }), false)
  expect(report).toMatchObject({ ok: false, ...seen })
  expect(report.problems[0]).toMatchObject({ severity: 'failed', fix: expect.stringContaining('s3:PutObject') })
})

test('a storage that writes over what exists although it was not to is found out', async () => {
  const objects = wrappedStore(world.objects, { put: (key, content) => world.objects.put(key, content) })
  const report = await examine(objects, false)
  expect(report).toMatchObject({ ok: false, conditionalWriteOk: false })
})

test('a folder that others may write to fails, a full disk too, and the disk of the machine is warned of', async () => {
  const folder = { kind: 'folder', place: '/backups', prefix: '', unknown: [], isOwn: true } as const
  const open = await examine(world.objects, false, { ...folder, mode: 0o777, freeBytes: 1e12, isOnSystemDisk: false })
  expect(open.problems).toContainEqual(expect.objectContaining({ severity: 'failed', fix: "chmod go-w '/backups'" }))
  const full = await examine(world.objects, false, { ...folder, mode: 0o700, freeBytes: 1_000, isOnSystemDisk: true })
  expect(full.problems.map(({ severity, problem }) => `${severity} ${problem}`)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^failed only 1000 bytes/),
      expect.stringMatching(/^warning .*disk of this machine/),
    ]),
  )
})
