/** Drills of WAL and of a prepared folder: everything in scratch, the real archive read and never written. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { simulateSegment } from '#lib/recovery/drill/simulated-wal.ts'
import { archiveWal, runPrepareDrill, runWalDrill } from '#lib/recovery/index.ts'
import { type DrillWorld, openDrillWorld } from '#test/support/recovery/drill-world.ts'
import { wrappedStore } from '#test/support/recovery/wrapped-store.ts'

const COMMAND = `backstop wal fetch --storage 'file:///it''s' --wal-name %f --output "%p"`

let world: DrillWorld
beforeEach(async () => {
  world = await openDrillWorld()
})
afterEach(() => world.close())

const random = { bytes: (count: number) => randomBytes(count) }

async function archiveReal(number: number): Promise<string> {
  const { name, content } = simulateSegment(number, 77n, random)
  await archiveWal(world.objects, { read: async () => content }, { clusterId: 'prod', path: name, name })
  return name
}

test('the WAL drill archives, fetches and refuses in scratch, and leaves the evidence alone', async () => {
  const drill = await runWalDrill(world, { clusterId: 'prod' })
  expect(drill.evidence.failure).toBeNull()
  expect(drill.evidence).toMatchObject({
    kind: 'wal-archive-fetch',
    result: 'ok',
    clusterId: 'prod',
    facts: { wal_name: '000000010000000000000001', key: 'wal/prod/00000001/000000010000000000000001.zst' },
    skipped: [{ subject: 'archive of prod', reason: expect.stringContaining('no segment') }],
  })
  expect(drill.evidence.steps.map(({ name, status }) => `${name}: ${status}`)).toEqual([
    'clear leftovers: ok',
    'make scratch: ok',
    'archive a segment: ok',
    'archive it again: ok',
    'archive another one of its name: ok',
    'fetch it: ok',
    'fetch one that is not there: ok',
    'fetch a damaged one: ok',
    'look at the real archive: ok',
    'remove scratch: ok',
  ])
  expect(await world.keys()).toEqual([drill.key])
  expect(world.scratchFolders()).toEqual([])
})

test('of a real archive the newest segment is fetched and proven, and nothing in it is changed', async () => {
  await archiveReal(1)
  const name = await archiveReal(2)
  const before = await world.keys('wal/')
  const bytes = await Promise.all(before.map((key) => world.objects.read(key)))
  const { evidence } = await runWalDrill(world, { clusterId: 'prod' })
  expect(evidence).toMatchObject({ result: 'ok', skipped: [], facts: { newest_wal_name: name } })
  expect(evidence.rtoSeconds).toBeGreaterThanOrEqual(0)
  expect(evidence.rpoSeconds).toBeGreaterThanOrEqual(0)
  expect(await world.keys('wal/')).toEqual(before)
  expect(await Promise.all(before.map((key) => world.objects.read(key)))).toEqual(bytes)
})

test('a damaged segment of the real archive fails the drill', async () => {
  const name = await archiveReal(1)
  const path = join(world.folder, 'objects/wal/prod/00000001', `${name}.zst`)
  const sealed = readFileSync(path)
  sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1
  writeFileSync(path, sealed)
  const { evidence } = await runWalDrill(world, { clusterId: 'prod' })
  expect(evidence).toMatchObject({ result: 'failed', failure: { code: 'WAL_CORRUPT' } })
})

test('an archive that overwrites is found out, and the scratch goes all the same', async () => {
  const forgetful: ObjectStore = {
    ...wrappedStore(world.objects, {}),
    find: async () => undefined,
    put: (key, content) => world.objects.put(key, content),
  }
  const { evidence } = await runWalDrill({ ...world, objects: forgetful }, { clusterId: 'prod' })
  expect(evidence).toMatchObject({ result: 'failed', failure: { code: 'DRILL_MISMATCH' } })
  expect(await world.keys('drills/scratch/')).toEqual([])
  expect(world.scratchFolders()).toEqual([])
})

test('a storage that cannot be written fails the drill and the evidence says so', async () => {
  const full: ObjectStore = {
    ...wrappedStore(world.objects, {}),
    put: () => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'the disk is full')),
  }
  const drill = await runWalDrill({ ...world, objects: full }, { clusterId: 'prod' })
  expect(drill).toMatchObject({ key: null, evidence: { result: 'failed', failure: { code: 'STORAGE_UNREACHABLE' } } })
})

test('what a killed drill left a day ago is removed, what is younger stays', async () => {
  const key = 'drills/scratch/drill_0/wal/prod/x'
  await world.objects.put(key, Buffer.from('left'))
  await runWalDrill(world, { clusterId: 'prod' })
  expect(await world.keys('drills/scratch/')).toEqual([key])
  const later = { ...world.clock, nowMs: () => Date.now() + 86_500_000, monotonicMs: () => performance.now() }
  const { evidence } = await runWalDrill({ ...world, clock: later }, { clusterId: 'prod' })
  expect(evidence.steps[0]).toMatchObject({ name: 'clear leftovers', detail: '1 removed' })
  expect(await world.keys('drills/scratch/')).toEqual([])
})

test('a simulated server is backed up, prepared, compared and removed', async () => {
  const target = { kind: 'time', text: '2026-11-20 03:00:00+00:00' } as const
  const request = { clusterId: 'prod', isSimulated: true, restoreCommand: COMMAND, target }
  const drill = await runPrepareDrill(world, request)
  expect(drill.evidence.failure).toBeNull()
  expect(drill.evidence).toMatchObject({
    kind: 'pitr-prepare',
    result: 'ok',
    facts: {
      simulated: true,
      target_dir_kept: false,
      backup_id: expect.stringMatching(/^base_[0-9a-f]{32}$/),
      recovery_signal: true,
      restore_command: COMMAND,
      recovery_target_time: '2026-11-20 03:00:00+00:00',
    },
  })
  expect(drill.evidence.checked).toContain('a damaged base backup is refused')
  expect(await world.keys()).toEqual([drill.key])
  expect(world.scratchFolders()).toEqual([])
})

test('a folder that was named is kept as it was prepared', async () => {
  const folder = join(world.folder, 'prepared')
  const request = { clusterId: 'prod', isSimulated: true, restoreCommand: COMMAND, folder }
  const { evidence } = await runPrepareDrill(world, request)
  expect(evidence).toMatchObject({ result: 'ok', facts: { target_dir: folder, target_dir_kept: true } })
  expect(statSync(join(folder, 'recovery.signal')).size).toBe(0)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  const again = await runPrepareDrill(world, request)
  expect(again.evidence).toMatchObject({ result: 'failed', failure: { code: 'TARGET_FOLDER_REFUSED' } })
  expect(statSync(join(folder, 'recovery.signal')).size).toBe(0)
})

test('without a base backup nothing is proven, and the reason says what to do', async () => {
  const { evidence } = await runPrepareDrill(world, { clusterId: 'prod', isSimulated: false, restoreCommand: COMMAND })
  expect(evidence).toMatchObject({ result: 'skipped', failure: null })
  expect(evidence.skipped).toEqual([
    { subject: 'base backup of prod', reason: expect.stringContaining('pitr basebackup') },
  ])
})

test('a base backup that is named and not there fails the drill', async () => {
  mkdirSync(join(world.folder, 'objects'), { recursive: true })
  const request = { clusterId: 'prod', isSimulated: false, restoreCommand: COMMAND, backupId: 'base_x' }
  const { evidence } = await runPrepareDrill(world, request)
  expect(evidence).toMatchObject({ result: 'failed', failure: { code: 'BACKUP_MISSING' } })
})
