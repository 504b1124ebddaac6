/**
 * Says again, in another way, what retention keeps: by looking at every hour, day, week and month as text, one capture at a time.
 * Shares no line with the plan that it judges.
 */
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { RetentionPolicy } from '#lib/recovery/retention/index.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

export interface Wanted {
  readonly pinned: ReadonlySet<string>
  readonly held: ReadonlySet<string>
  readonly needed: ReadonlySet<string>
}

const textOf = (ms: number) => new Date(ms).toISOString()
const isAhead = (point: RecoveryPoint, nowMs: number) => Date.parse(point.capturedAt) > nowMs + 5_000

/** The Monday of the day's week, by walking back to it. */
function mondayOf(day: string): string {
  let ms = Date.parse(`${day}T00:00:00.000Z`)
  while (new Date(ms).getUTCDay() !== 1) ms -= DAY
  return textOf(ms).slice(0, 10)
}

/** The names of the last `count` different periods, walking back from now in steps that miss none. */
function periods(count: number, nowMs: number, stepMs: number, nameOf: (text: string) => string): readonly string[] {
  const names: string[] = []
  for (let ms = nowMs; names.length < count; ms -= stepMs) {
    const name = nameOf(textOf(ms))
    if (names.at(-1) !== name) names.push(name)
  }
  return names
}

const hourName = (text: string) => text.slice(0, 13)
const dayName = (text: string) => text.slice(0, 10)
const weekName = (text: string) => mondayOf(text.slice(0, 10))
const monthName = (text: string) => text.slice(0, 7)

/** Ids that the policy keeps of the sound points of one table, oldest first. */
function keptOfTable(points: readonly RecoveryPoint[], policy: RetentionPolicy, nowMs: number): Set<string> {
  const kept = new Set<string>()
  const last = points.at(-1)
  if (last !== undefined) kept.add(last.snapshotId)
  for (const point of points.slice(Math.max(0, points.length - policy.keepLast))) kept.add(point.snapshotId)
  const kinds = [
    [policy.keepHourly, HOUR, hourName],
    [policy.keepDaily, DAY, dayName],
    [policy.keepWeekly, DAY, weekName],
    [policy.keepMonthly, DAY, monthName],
  ] as const
  for (const [count, stepMs, nameOf] of kinds) {
    for (const name of periods(count, nowMs, stepMs, nameOf)) {
      let newest: string | undefined
      for (const point of points) {
        const until = point.confirmedAt ?? point.capturedAt
        if (nameOf(point.capturedAt) <= name && name <= nameOf(until)) newest = point.snapshotId
      }
      if (newest !== undefined) kept.add(newest)
    }
  }
  for (const [index, point] of points.entries()) {
    const next = points[index + 1]
    const until = point.confirmedAt ?? point.capturedAt
    if (policy.keepDays > 0 && until >= textOf(nowMs - policy.keepDays * DAY)) kept.add(point.snapshotId)
    if (point.capturedAt > textOf(nowMs - HOUR)) kept.add(point.snapshotId)
    if (next !== undefined && next.capturedAt > textOf(nowMs - HOUR)) kept.add(point.snapshotId)
    const finalFrom = textOf(nowMs - policy.finalDays * DAY)
    if (point.origin === 'final' && point.capturedAt > finalFrom) kept.add(point.snapshotId)
    const isLastOfItsOid = next !== undefined && next.relationOid !== point.relationOid
    if (isLastOfItsOid && next.capturedAt > finalFrom) kept.add(point.snapshotId)
  }
  return kept
}

/** Ids of what stays, of points in the order of their capture. */
export function expectedToStay(
  points: readonly RecoveryPoint[],
  policy: RetentionPolicy,
  nowMs: number,
  wanted: Wanted,
): Set<string> {
  const stays = new Set<string>()
  const tables = new Set(points.map(({ relation }) => `${relation.schema}.${relation.name}`))
  for (const table of tables) {
    const own = points.filter(({ relation }) => `${relation.schema}.${relation.name}` === table)
    const sound = own.filter((point) => point.status === 'valid' && !isAhead(point, nowMs))
    for (const id of keptOfTable(sound, policy, nowMs)) stays.add(id)
    const aside = own.filter(({ status }) => status === 'quarantined')
    for (const point of aside) {
      const since = point.quarantinedAt ?? point.capturedAt
      if (since > textOf(nowMs - policy.quarantineDays * DAY)) stays.add(point.snapshotId)
    }
    const lastAside = aside.at(-1)
    if (lastAside !== undefined && own.every(({ status }) => status !== 'valid')) stays.add(lastAside.snapshotId)
  }
  for (const point of points) {
    if (isAhead(point, nowMs)) stays.add(point.snapshotId)
    for (const ids of [wanted.pinned, wanted.held, wanted.needed]) {
      if (ids.has(point.snapshotId)) stays.add(point.snapshotId)
    }
  }
  for (const point of points) {
    if (point.setId === undefined || !stays.has(point.snapshotId)) continue
    for (const other of points) if (other.setId === point.setId) stays.add(other.snapshotId)
  }
  return stays
}
