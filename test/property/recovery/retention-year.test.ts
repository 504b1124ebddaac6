/** A year of captures with retention every night, over the stores of the embedded product: what is left is what the policy says. */
import { afterAll, expect, test } from 'vitest'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { scanPoints } from '#lib/recovery/catalog/index.ts'
import { addKeep, liftKeep, runRetention } from '#lib/recovery/retention/index.ts'
import { expectedToStay } from '#test/support/recovery/retention/oracle.ts'
import type { Vault } from '#test/support/recovery/retention/vault.ts'
import { allPoints, openVault } from '#test/support/recovery/retention/vault.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const DAYS = 366
const START_MS = Date.parse('2027-01-01T00:00:00.000Z')
const POLICY = {
  keepLast: 3,
  keepDays: 2,
  keepHourly: 24,
  keepDaily: 14,
  keepWeekly: 8,
  keepMonthly: 6,
  finalDays: 30,
  quarantineDays: 20,
}

/** What the year knows of every point that was ever taken, kept beside the product. */
class Year {
  readonly vault: Vault
  /** In the order of capture; what retention removed leaves it. */
  history: RecoveryPoint[] = []
  readonly everOf = new Map<string, RecoveryPoint[]>()
  readonly pinned = new Set<string>()
  readonly held = new Set<string>()
  readonly needed = new Set<string>()
  captures = 0
  removals = 0

  constructor(vault: Vault) {
    this.vault = vault
  }

  async take(table: string, taken: Parameters<Vault['take']>[1] = {}): Promise<RecoveryPoint> {
    const point = await this.vault.take(table, taken)
    this.captures += 1
    this.history.push(point)
    this.everOf.set(table, [...(this.everOf.get(table) ?? []), point])
    return point
  }

  change(point: RecoveryPoint): void {
    const replace = (known: RecoveryPoint) => (known.snapshotId === point.snapshotId ? point : known)
    this.history = this.history.map(replace)
    const table = point.relation.name
    this.everOf.set(table, (this.everOf.get(table) ?? []).map(replace))
  }

  newestOf(table: string): RecoveryPoint {
    const found = this.history.filter(({ relation }) => relation.name === table).at(-1)
    if (found === undefined) throw new Error(`nothing was taken of ${table}`)
    return found
  }

  now(): Instant {
    return new Date(this.vault.clock.nowMs()).toISOString() as Instant
  }
}

async function dayOf(year: Year, day: number): Promise<void> {
  const { clock } = year.vault
  const midnightMs = START_MS + day * 24 * HOUR_MS
  const until = (offsetMs: number) => clock.advance(midnightMs + offsetMs - clock.nowMs())
  if (day === 0) await year.take('quiet')
  const burstMinutes = day % 60 === 10 ? 10 : 0
  for (let hour = 0; hour < 24; hour += 6) {
    until(hour * HOUR_MS + MINUTE_MS)
    await year.take('busy')
    for (let minute = 2; burstMinutes > 0 && minute < 120; minute += burstMinutes) {
      until(hour * HOUR_MS + minute * MINUTE_MS)
      await year.take('busy')
    }
  }
  until(22 * HOUR_MS)
  await evening(year, day)
  until(24 * HOUR_MS - 20 * MINUTE_MS)
}

async function evening(year: Year, day: number): Promise<void> {
  const { catalog, records } = year.vault
  if (day < 140) await year.take('dropped')
  if (day === 140) await year.take('dropped', { origin: 'final' })
  if (day > 0 && day % 45 === 0) await year.take('quiet')
  else year.change(await catalog.confirm(year.newestOf('quiet').snapshotId, year.now()))
  await year.take('remade', { relationOid: day < 180 ? 1 : 2 })
  const spoiled = await year.take('spoiled')
  if (day >= 200) year.change(await catalog.quarantine(spoiled.snapshotId, 'flipped', year.now()))
  if (day === 20) await year.take('ahead', { capturedAt: '2027-11-01T00:00:00.000Z' as Instant })
  await year.take('ahead')
  const setId = day % 7 === 3 ? `set_${String(day).padStart(32, '0')}` : undefined
  for (const table of ['left', 'right']) {
    if (setId !== undefined || (table === 'left' && day < 300))
      await year.take(table, setId === undefined ? {} : { setId })
  }
  const kept = await year.take('kept')
  const by = 'operator'
  const at = year.now()
  if (day % 50 === 5) {
    await addKeep(catalog, records, { snapshotId: kept.snapshotId, kind: 'pin', reason: 'before a release', by, at })
    year.pinned.add(kept.snapshotId)
  }
  if (day === 30) {
    await addKeep(catalog, records, { snapshotId: kept.snapshotId, kind: 'hold', reason: 'case 7', by, at })
    year.held.add(kept.snapshotId)
  }
  if (day === 250) {
    for (const id of year.held) await liftKeep(records, id as RecoveryPoint['snapshotId'], 'hold')
    year.held.clear()
    for (const id of [...year.pinned].slice(0, 2)) {
      await liftKeep(records, id as RecoveryPoint['snapshotId'], 'pin')
      year.pinned.delete(id)
    }
  }
  if (day === 100) year.needed.add(kept.snapshotId)
  if (day === 160) year.needed.clear()
}

/** Every table keeps its last sound point, with everything that it needs. */
async function assertLastValid(year: Year): Promise<void> {
  const { catalog, objects, clock } = year.vault
  for (const [table, ever] of year.everOf) {
    const sound = ever.filter(({ status, capturedAt }) => status === 'valid' && Date.parse(capturedAt) <= clock.nowMs())
    const newest = await catalog.findNewestTrusted({ schema: 'public', name: table }, clock.nowMs())
    expect(newest?.snapshotId, table).toBe(sound.at(-1)?.snapshotId)
    expect(await objects.find(newest?.manifestKey ?? ''), table).toBeDefined()
  }
}

const idsOf = (points: Iterable<Pick<RecoveryPoint, 'snapshotId'>>) =>
  [...points].map(({ snapshotId }) => snapshotId).sort()

const opened: Vault[] = []
afterAll(async () => {
  for (const vault of opened) await vault.close()
})

/** Thousands of small files, each written through to the disk. */
const TIMEOUT_MS = 900_000

test('after a year of nights the storage holds exactly what the policy says, and always the last valid point', {
  timeout: TIMEOUT_MS,
}, async () => {
  const vault = await openVault(START_MS)
  opened.push(vault)
  const year = new Year(vault)
  for (let day = 0; day < DAYS; day += 1) {
    await dayOf(year, day)
    const report = await runRetention(vault.ports, { policy: POLICY, findNeeded: async () => [...year.needed] })
    expect(report.failed).toEqual([])
    expect(report.skipped).toEqual([])
    const stay = expectedToStay(year.history, POLICY, vault.clock.nowMs(), year)
    const gone = year.history.filter(({ snapshotId }) => !stay.has(snapshotId))
    expect(idsOf(report.removed), `day ${day}`).toEqual(idsOf(gone))
    year.history = year.history.filter(({ snapshotId }) => stay.has(snapshotId))
    year.removals += report.removed.length
    if (day % 30 === 29 || day === DAYS - 1) {
      expect(idsOf(await allPoints(vault))).toEqual(idsOf(year.history))
      await assertLastValid(year)
    }
  }
  await assertWhole(year)
  assertInteresting(year)
})

/** The storage has those points, whole, and not an object more. */
async function assertWhole(year: Year): Promise<void> {
  const { objects, catalog, ports } = year.vault
  const scan = await scanPoints(objects)
  expect(scan.problems).toEqual([])
  expect(idsOf(scan.points)).toEqual(idsOf(year.history))
  expect(scan.objectCount).toBe(2 * year.history.length)
  const again = await runRetention(ports, { policy: POLICY, findNeeded: async () => [...year.needed] })
  expect(again).toMatchObject({ removed: [], swept: [], failed: [] })
  expect((await catalog.list({ limit: 1_000 })).points).toHaveLength(year.history.length)
}

/** The year would prove nothing if little was removed, or if a case of it never came to pass. */
function assertInteresting(year: Year): void {
  const left = (table: string) => year.history.filter(({ relation }) => relation.name === table)
  expect(year.captures).toBeGreaterThan(3_500)
  expect(year.removals).toBeGreaterThan(year.captures * 0.9)
  expect(left('dropped').map(({ origin }) => origin)).toEqual(['schedule', 'schedule', 'final'])
  expect(left('spoiled').filter(({ status }) => status === 'valid')).toHaveLength(POLICY.keepLast)
  expect(left('spoiled').filter(({ status }) => status === 'quarantined')).toHaveLength(20)
  expect(left('quiet').length).toBeGreaterThan(3)
  expect(year.vault.forgottenSets.length).toBeGreaterThan(30)
  expect(year.pinned.size).toBe(6)
  // What all of the busy table's captures would have left, had they never been thinned out on the way.
  const ever = year.everOf.get('busy') ?? []
  const nobody = new Set<string>()
  const wanted = { pinned: nobody, held: nobody, needed: nobody }
  const fromAll = expectedToStay(ever, POLICY, year.vault.clock.nowMs(), wanted)
  expect(idsOf(left('busy'))).toEqual([...fromAll].sort())
  process.stdout.write(
    `${year.captures} points taken, ${year.removals} removed, ${year.history.length} left, ${year.vault.forgottenSets.length} sets forgotten\n`,
  )
}
