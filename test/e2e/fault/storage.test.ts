/** Storage on bad days, around captures, checks and restores: nothing invalid is offered, nothing valid lost, and it is told once. */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { captureRound, drillTable, verifyPoints } from '#lib/product/index.ts'
import type { StorageFault } from '#test/support/fault/faulty-store.ts'
import {
  invalidOffers,
  type KnownPoint,
  knownPoint,
  listAll,
  lostPoints,
  unhealed,
} from '#test/support/fault/promise.ts'
import { type FaultLine, renderFaults } from '#test/support/fault/table.ts'
import { ACCOUNTS, type FaultWorld, openFaultWorld } from '#test/support/fault/world.ts'

const MINUTE_MS = 60_000
const PART = /part-\d+/
const MANIFEST = /manifest\.json$/
const lines: FaultLine[] = []

afterAll(() => console.log(renderFaults('storage', lines)))

interface Prepared {
  readonly world: FaultWorld
  readonly looked: { readonly recovery: FaultWorld['parts']['recovery']; readonly db: FaultWorld['db'] }
  /** Whole points of before. */
  readonly known: readonly KnownPoint[]
}

/** A first round, a second point of a table that changes, and then a change that no point has yet. */
async function prepare(objectRoot?: string): Promise<Prepared> {
  const world = await openFaultWorld(objectRoot === undefined ? {} : { objectRoot })
  const looked = { recovery: world.parts.recovery, db: world.db }
  const first = await knownPoint(looked, ACCOUNTS)
  await world.db.run('UPDATE accounts SET balance = balance + 1')
  world.clock.advance(10 * MINUTE_MS)
  const second = await knownPoint(looked, ACCOUNTS)
  const quiet = await knownPoint(looked, { schema: 'public', name: 'quiet' })
  await world.db.run(`UPDATE accounts SET owner = 'changed' WHERE id <= 100`)
  world.clock.advance(10 * MINUTE_MS)
  return { world, looked, known: [first, second, quiet] }
}

const round = (world: FaultWorld) => captureRound(world.parts).catch((error: Error) => error)

/** What was told that somebody has to act on, in words: `event×count`. */
function toldSince(world: FaultWorld, start: number): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const alert of world.told.slice(start)) {
    if (alert.severity === 'info' || alert.state === 'resolved') continue
    expect(alert.recommendedAction.length).toBeGreaterThan(20)
    counts[alert.eventType] = (counts[alert.eventType] ?? 0) + 1
  }
  return counts
}

const asText = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([event, count]) => `${event}×${count}`)
    .join(' ')

/** The four promises after a fault; the storage is mended in between. */
async function expectPromises(prepared: Prepared, line: Pick<FaultLine, 'fault' | 'moment'>, start: number) {
  const { world, looked, known } = prepared
  const told = toldSince(world, start)
  world.store.mend()
  const offered = await invalidOffers(looked)
  const lost = await lostPoints(looked, known)
  const before = (await listAll(looked.recovery)).map(({ snapshotId }) => snapshotId)
  world.clock.advance(10 * MINUTE_MS)
  await world.db.run(`UPDATE accounts SET owner = 'after' WHERE id = 1`)
  await round(world)
  const healing = await unhealed(looked, ACCOUNTS, before)
  const health = await looked.recovery.findHeartbeat()
  const problems = [
    ...offered,
    ...lost,
    ...healing,
    ...(health?.isHealthy === true ? [] : ['the heartbeat is not healthy again']),
  ]
  lines.push({ ...line, told: asText(told), result: problems.length === 0 ? 'holds' : problems.join('; ') })
  expect(problems).toEqual([])
  return told
}

const CAPTURE_FAULTS: readonly (readonly [string, StorageFault])[] = [
  ['truncates a part', { kind: 'truncates-writes', keys: PART }],
  ['truncates the manifest', { kind: 'truncates-writes', keys: MANIFEST }],
  ['flips a bit of a part, early', { kind: 'flips-writes', keys: PART, at: 0.1 }],
  ['flips a bit of a part, late', { kind: 'flips-writes', keys: PART, at: 0.9 }],
  ['flips a bit of the manifest', { kind: 'flips-writes', keys: MANIFEST, at: 0.5 }],
  ['times out for parts', { kind: 'out-of-reach', keys: PART, reason: 'TimeoutError' }],
  ['times out for manifests', { kind: 'out-of-reach', keys: MANIFEST, reason: 'TimeoutError' }],
  ['times out for everything', { kind: 'out-of-reach', keys: /./, reason: 'TimeoutError' }],
  ['answers 503 for a while', { kind: 'out-of-reach', keys: /./, calls: 7, reason: 'SlowDown' }],
  ['has no room for parts', { kind: 'is-full', keys: PART }],
  ['has no room for manifests', { kind: 'is-full', keys: MANIFEST }],
  ['breaks off when it is read back', { kind: 'breaks-reads', keys: PART }],
  ['flips a bit when it is read back', { kind: 'flips-reads', keys: PART, at: 0.5 }],
]

describe('a capture, when the storage', () => {
  test.each(CAPTURE_FAULTS)('%s', async (name, fault) => {
    const prepared = await prepare()
    const { world } = prepared
    try {
      const start = world.told.length
      world.store.breakBy(fault)
      await round(world)
      const { hits } = world.store
      // A second look at the same trouble is no second alert.
      await round(world)
      expect(hits).toBeGreaterThan(0)
      const told = await expectPromises(prepared, { fault: name, moment: 'capture' }, start)
      expect({ name, told: Object.values(told) }).toEqual({ name, told: [1] })
    } finally {
      await world.close()
    }
  })
})

const pathOf = (world: FaultWorld, key: string) => join(world.folder, 'objects', ...key.split('/'))
async function partOf({ parts }: FaultWorld, { point }: KnownPoint): Promise<string> {
  const { manifest } = await parts.recovery.readManifest(point.snapshotId)
  return manifest.parts[0]?.key ?? 'it has no part'
}

/** One bit in the middle, as a disk that rots would. */
function flipFile(path: string): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8((bytes.at(bytes.length >> 1) ?? 0) ^ 1, bytes.length >> 1)
  writeFileSync(path, bytes)
}

const REST_FAULTS: readonly (readonly [string, (path: string) => void])[] = [
  ['flips a bit of a stored part', flipFile],
  ['truncates a stored part', (path) => truncateSync(path, statSync(path).size >> 1)],
  ['loses a stored part', (path) => rmSync(path)],
]

describe('what is stored, when the storage', () => {
  test.each(REST_FAULTS)('%s: the check finds it, and sets that point aside alone', async (name, damage) => {
    const prepared = await prepare()
    const { world, known } = prepared
    try {
      const start = world.told.length
      const [first, second, quiet] = known
      damage(pathOf(world, await partOf(world, second as KnownPoint)))
      await verifyPoints(world.parts)
      await verifyPoints(world.parts)
      const sound = [first, quiet].filter((one) => one !== undefined)
      const told = await expectPromises({ ...prepared, known: sound }, { fault: name, moment: 'at rest' }, start)
      expect(told).toEqual({ snapshot_quarantined: 1 })
      const listed = await listAll(world.parts.recovery)
      expect(listed.filter(({ status }) => status === 'quarantined').map(({ snapshotId }) => snapshotId)).toEqual([
        second?.point.snapshotId,
      ])
    } finally {
      await world.close()
    }
  })

  test('is not mounted for a while: no point is set aside, and all are back with it', async () => {
    const prepared = await prepare()
    const { world } = prepared
    try {
      const start = world.told.length
      const root = join(world.folder, 'objects')
      for (const name of readdirSync(root)) renameSync(join(root, name), join(world.folder, `away-${name}`))
      await round(world)
      await verifyPoints(world.parts)
      const during = await listAll(world.parts.recovery)
      for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true })
      for (const name of readdirSync(world.folder).filter((one) => one.startsWith('away-'))) {
        renameSync(join(world.folder, name), join(root, name.slice('away-'.length)))
      }
      const ids = prepared.known.map(({ point }) => point.snapshotId)
      expect(during.filter(({ snapshotId }) => ids.includes(snapshotId)).map(({ status }) => status)).toEqual(
        ids.map(() => 'valid'),
      )
      const told = await expectPromises(prepared, { fault: 'is not mounted', moment: 'at rest' }, start)
      expect(Object.keys(told).length).toBeGreaterThan(0)
    } finally {
      await world.close()
    }
  })
})

const RESTORE_FAULTS: readonly (readonly [string, StorageFault])[] = [
  ['flips a bit of what is read, once', { kind: 'flips-reads', keys: PART, at: 0.5, calls: 1 }],
  ['breaks off in the middle', { kind: 'breaks-reads', keys: PART }],
  ['times out', { kind: 'out-of-reach', keys: PART, reason: 'TimeoutError' }],
]

describe('a restore, when the storage', () => {
  test.each(RESTORE_FAULTS)('%s: it is refused with what to do, and leaves nothing behind', async (name, fault) => {
    const prepared = await prepare()
    const { world, known } = prepared
    try {
      const start = world.told.length
      world.store.breakBy(fault)
      const point = known[1]?.point as KnownPoint['point']
      const order = { snapshotId: point.snapshotId, target: { schema: 'public', name: 'brought_back' } }
      const failure = await world.parts.recovery.restore(order).then(
        () => undefined,
        (error) => error,
      )
      expect(failure).toMatchObject({ code: expect.stringMatching(/^(SNAPSHOT_CORRUPT|STORAGE_UNREACHABLE)$/) })
      expect(failure.hint.length).toBeGreaterThan(20)
      expect(await world.db.run(`SELECT to_regclass('brought_back') IS NULL AS gone`)).toEqual([{ gone: true }])
      expect(world.store.hits).toBeGreaterThan(0)
      // What was read wrongly once is sound in the storage, and stays offered.
      await expectPromises(prepared, { fault: name, moment: 'restore' }, start)
    } finally {
      await world.close()
    }
  })

  test.each(RESTORE_FAULTS)(
    '%s during a drill: the drill fails, is told once, and its scratch is gone',
    async (name, fault) => {
      const prepared = await prepare()
      const { world } = prepared
      try {
        const start = world.told.length
        world.store.breakBy(fault)
        await drillTable(world.parts)
        await drillTable(world.parts)
        const scratch = `SELECT count(*)::int AS count FROM pg_namespace WHERE nspname ~ '^backstop'`
        expect(await world.db.run(scratch)).toEqual([{ count: 0 }])
        const told = await expectPromises(prepared, { fault: name, moment: 'drill' }, start)
        expect(told['drill_failed']).toBeGreaterThanOrEqual(1)
      } finally {
        await world.close()
      }
    },
  )
})

describe('a disk that is really full', () => {
  const isRoot = process.getuid?.() === 0

  test('2 MiB of it: the capture fails, what was there stays, and room heals it', async () => {
    const mount = mkdtempSync(join(tmpdir(), 'backstop-full-'))
    const isMounted = isRoot && tryMount(mount)
    const objectRoot = join(mount, 'objects')
    mkdirSync(objectRoot)
    const prepared = await prepare(objectRoot)
    const { world } = prepared
    try {
      const start = world.told.length
      const filler = join(mount, 'filler')
      if (isMounted) fillUp(filler)
      else world.store.breakBy({ kind: 'is-full', keys: /./ })
      await round(world)
      await round(world)
      rmSync(filler, { force: true })
      const how = isMounted ? 'a tmpfs of 2 MiB' : 'stands in: not root, or no tmpfs'
      const told = await expectPromises(prepared, { fault: `fills its disk (${how})`, moment: 'capture' }, start)
      expect(Object.values(told)).toEqual([1])
    } finally {
      await world.close()
      if (isMounted) execFileSync('umount', [mount])
      rmSync(mount, { recursive: true, force: true })
    }
  })

  function tryMount(folder: string): boolean {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  }

  function fillUp(path: string): void {
    let sizeBytes = 4_194_304
    while (sizeBytes > 512) {
      try {
        writeFileSync(path, Buffer.alloc(sizeBytes), { flag: 'a' })
      } catch {
        sizeBytes >>= 1
      }
    }
  }
})
