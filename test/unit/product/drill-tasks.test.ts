/** Drills by the clock: which are due, what they are told, what is said of them. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Instant, JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, instantFrom } from '#lib/kernel/index.ts'
import type { DrillGround, Parts } from '#lib/product/index.ts'
import { drillOnce, drillTable, drillWhenDue } from '#lib/product/index.ts'
import type { DrillKind, Recovery, StoredDrill } from '#lib/recovery/index.ts'
import { readEvidence } from '#lib/recovery/index.ts'
import { type DrillWorld, openDrillWorld } from '#test/support/recovery/drill-world.ts'

const HOUR_MS = 3_600_000
const ORDERS = { schema: 'public', name: 'orders' }

let world: DrillWorld
beforeEach(async () => {
  world = await openDrillWorld()
})
afterEach(() => world.close())

const ground = (): DrillGround => ({
  files: world.files,
  restoreCommand: (clusterId) => `backstop wal fetch --cluster-id ${clusterId} --wal-name %f --output "%p"`,
  native: { reason: 'functions have no programs of PostgreSQL' },
})

function drillAt(kind: DrillKind, startedAt: Instant, result = 'ok'): StoredDrill {
  const evidence = {
    kind,
    startedAt,
    result,
    relation: ORDERS,
    skipped: [],
    failure: null,
    rtoSeconds: 1,
    rpoSeconds: 2,
  }
  return { evidence, key: 'k', sha256: '' } as unknown as StoredDrill
}

function partsWith(recovery: Partial<Recovery>, settings: object = {}) {
  const said: string[] = []
  const parts = {
    ...world,
    recovery: {
      listDrills: async () => ({ drills: [] }),
      runTableDrill: async () => drillAt('table-restore', instantFrom(Date.now())),
      ...recovery,
    },
    settings: {
      clusterId: 'prod',
      drillIntervalHours: 24,
      drillNativeIntervalHours: 168,
      drillMaxMegabytes: 3,
      ...settings,
    },
    alerts: { raise: async ({ eventType }: { eventType: string }) => void said.push(`alert ${eventType}`) },
    metrics: { noteDrill: (kind: string, result: string) => said.push(`metric ${kind} ${result}`) },
    log: (_level: string, event: string, facts: JsonObject) => said.push(`log ${event} ${String(facts['kind'])}`),
  }
  return { parts: parts as unknown as Parts, said }
}

const kindsOf = (drills: readonly StoredDrill[]) => drills.map(({ evidence }) => evidence.kind)
const ALL: readonly DrillKind[] = [
  'table-restore',
  'wal-archive-fetch',
  'pitr-prepare',
  'pitr-restore',
  'logical-backup-restore',
]

test('each kind is drilled when its own time has come', async () => {
  const now = Date.now()
  const ago = (kind: DrillKind, hours: number) => drillAt(kind, instantFrom(now - hours * HOUR_MS))
  const last = [
    ago('table-restore', 1),
    ago('wal-archive-fetch', 23.9),
    ago('pitr-prepare', 24),
    ago('pitr-restore', 25),
    ago('logical-backup-restore', 168),
  ]
  const { parts } = partsWith({ listDrills: async () => ({ drills: last }) })
  expect(kindsOf(await drillWhenDue(parts, ground()))).toEqual(['pitr-prepare', 'logical-backup-restore'])
})

test('what was never drilled is, and what lies in the future does not count', async () => {
  const { parts } = partsWith({})
  expect(kindsOf(await drillWhenDue(parts, ground()))).toEqual(ALL)
  const future = drillAt('table-restore', instantFrom(Date.now() + HOUR_MS))
  const again = partsWith({ listDrills: async () => ({ drills: [future] }) }, { drillNativeIntervalHours: 0 })
  expect(kindsOf(await drillWhenDue(again.parts, ground()))).toContain('table-restore')
})

test('the pages of drills are read as far back as an interval reaches', async () => {
  const now = Date.now()
  let pages = 0
  const listDrills: Recovery['listDrills'] = async ({ cursor } = {}) => {
    pages += 1
    const kind = cursor === undefined ? 'table-restore' : 'pitr-restore'
    const hours = cursor === undefined ? 1 : 167
    return { drills: [drillAt(kind, instantFrom(now - hours * HOUR_MS))], cursor: `after ${pages}` }
  }
  const { parts } = partsWith({
    listDrills: async (filter) =>
      pages < 2 ? await listDrills(filter) : { drills: [drillAt('pitr-prepare', instantFrom(0))], cursor: 'more' },
  })
  const drills = await drillWhenDue(parts, ground())
  expect(kindsOf(drills)).toEqual(['wal-archive-fetch', 'pitr-prepare', 'logical-backup-restore'])
  expect(pages).toBe(2)
})

test('an interval of 0 switches its drills off', async () => {
  const off = partsWith({}, { drillIntervalHours: 0, drillNativeIntervalHours: 0 })
  expect(await drillWhenDue(off.parts, ground())).toEqual([])
  expect(off.said).toEqual([])
  const scratch = partsWith({}, { drillNativeIntervalHours: 0 })
  expect(kindsOf(await drillWhenDue(scratch.parts, ground()))).toEqual([
    'table-restore',
    'wal-archive-fetch',
    'pitr-prepare',
  ])
})

test('a table is drilled within the limit of size, and a failed drill is told and counted', async () => {
  const { parts, said } = partsWith({
    runTableDrill: async (request) => {
      expect(request).toEqual({ maxBytes: 3 * 1_048_576 })
      return drillAt('table-restore', instantFrom(0), 'failed')
    },
  })
  await drillTable(parts)
  expect(said).toEqual(['alert drill_failed', 'metric table-restore failed', 'log drill table-restore'])
})

test('where there are no programs the evidence says so, and nobody is woken', async () => {
  const { parts, said } = partsWith({})
  for (const kind of ['pitr-restore', 'logical-backup-restore'] as const) {
    const { evidence } = await drillOnce(parts, ground(), kind)
    expect(evidence).toMatchObject({
      kind,
      result: 'skipped',
      clusterId: 'prod',
      skipped: [{ subject: 'the whole drill', reason: 'functions have no programs of PostgreSQL' }],
    })
  }
  expect(said).toEqual([])
  expect((await readEvidence(world.objects)).drills).toHaveLength(2)
})

test('a drill that fails in scratch is told', async () => {
  const { parts, said } = partsWith({})
  const full = { ...world.objects, put: () => Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'full')) }
  for (const method of ['find', 'read', 'readStream', 'list', 'delete', 'openUpload'] as const) {
    Object.assign(full, { [method]: world.objects[method].bind(world.objects) })
  }
  await drillOnce({ ...parts, objects: full } as Parts, ground(), 'wal-archive-fetch')
  expect(said[0]).toBe('alert drill_failed')
})

test('evidence that somebody changed is told apart', async () => {
  const { parts } = partsWith({})
  const { key } = await drillOnce(parts, ground(), 'wal-archive-fetch')
  const text = Buffer.from(await world.objects.read(key ?? '')).toString()
  await world.objects.put(key ?? '', Buffer.from(text.replace('"result":"ok"', '"result":"OK"')))
  expect(await readEvidence(world.objects)).toEqual({
    drills: [],
    problems: [{ subject: key, reason: 'its digest is not that of its content' }],
  })
})
