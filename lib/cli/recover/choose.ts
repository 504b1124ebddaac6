/** Which recovery point: only valid ones are ever offered. */
import { BackstopError, displayRelation, epochMsOf, type RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '#lib/recovery/index.ts'
import type { CommandContext } from '../frame/index.ts'
import type { FoundPoints } from '../snapshots/index.ts'
import { formatBytes, formatDuration } from '../terminal/index.ts'

export const MOST_OFFERED = 10

/** Newest first; those that a wrong clock dated in the future come last, for nobody knows how old they are. */
export function trustedFirst<T extends Pick<RecoveryPoint, 'capturedAt'>>(
  points: readonly T[],
  nowMs: number,
): readonly T[] {
  const isAhead = (point: T) => epochMsOf(point.capturedAt) > nowMs + CLOCK_SKEW_MS
  return [...points.filter((point) => !isAhead(point)), ...points.filter(isAhead)]
}

/** Throws USAGE_INVALID for what is no instant with a time zone. */
export function readInstant(written: string): number {
  const ms = /(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(written.trim())
    ? Date.parse(
        written
          .trim()
          .replace(' ', 'T')
          .replace(/([+-]\d\d)$/, '$1:00'),
      )
    : Number.NaN
  if (Number.isFinite(ms)) return ms
  throw new BackstopError('USAGE_INVALID', '--at must be an instant with its zone, such as 2026-11-21T02:59:00Z')
}

/** Valid, of the instant or older, in the order in which they are offered. Throws SNAPSHOT_NONE_VALID. */
export function offeredPoints(
  found: FoundPoints,
  table: string,
  at: string | undefined,
  nowMs: number,
): readonly RecoveryPoint[] {
  const valid = trustedFirst(validPoints(found, table), nowMs)
  if (at === undefined) return valid
  const atMs = readInstant(at)
  const early = valid.filter((point) => epochMsOf(point.capturedAt) <= atMs)
  if (early.length > 0) return early
  const oldest = valid.at(-1)?.capturedAt
  throw new BackstopError(
    'SNAPSHOT_NONE_VALID',
    `no valid snapshots of ${table} at ${at}: the oldest one is of ${oldest}`,
  )
}

/** Throws SNAPSHOT_NONE_VALID, saying what there is instead. */
export function validPoints({ points, problems }: FoundPoints, table: string): readonly RecoveryPoint[] {
  const valid = points.filter((point) => point.status === 'valid')
  if (valid.length > 0) return valid
  const others = points.length + problems.length
  const rest = others === 0 ? 'there is none at all' : `none of the ${others} that are there can be trusted`
  throw new BackstopError('SNAPSHOT_NONE_VALID', `no valid snapshots of ${table}: ${rest}`)
}

/** Throws SNAPSHOT_CORRUPT with its reason for one that is there and not valid, SNAPSHOT_MISSING. */
export function pointById({ points, problems }: FoundPoints, snapshotId: string, table: string): RecoveryPoint {
  const point = points.find((candidate) => candidate.snapshotId === snapshotId)
  if (point?.status === 'valid') return point
  const problem = problems.find(({ key }) => key.includes(snapshotId))
  const reason =
    point === undefined ? problem?.reason : `snapshot ${snapshotId} is ${point.status}: ${point.validationError ?? ''}`
  if (reason !== undefined) throw new BackstopError('SNAPSHOT_CORRUPT', reason)
  throw new BackstopError('SNAPSHOT_MISSING', `there is no snapshot ${snapshotId} of ${table}`)
}

/** The newest where nobody can be asked. Throws Cancelled. */
export async function choosePoint(
  points: readonly RecoveryPoint[],
  context: CommandContext,
  nowMs: number,
): Promise<RecoveryPoint> {
  const [newest] = points
  if (newest === undefined) throw new BackstopError('BUG', 'nothing to choose from')
  if (context.ask === undefined || points.length === 1) return newest
  const chosen = await context.ask.choose(
    'Which recovery point?',
    points.slice(0, MOST_OFFERED).map((point) => ({
      value: point.snapshotId,
      label: `${point.capturedAt}  ${ageOf(point, nowMs)}, ${point.rowCount} rows`,
      hint: `${point.snapshotId}, ${point.origin}, ${formatBytes(point.sizeBytes)}`,
    })),
  )
  return points.find((point) => point.snapshotId === chosen) ?? newest
}

export function ageOf(point: Pick<RecoveryPoint, 'capturedAt'>, nowMs: number): string {
  const ageMs = nowMs - epochMsOf(point.capturedAt)
  return ageMs < -CLOCK_SKEW_MS ? 'dated in the future by a wrong clock' : `${formatDuration(ageMs)} old`
}

/** A name that is in several schemas is no answer. Throws USAGE_INVALID. */
export function oneTable(points: readonly RecoveryPoint[]): RelationName | undefined {
  const names = new Map(points.map((point) => [displayRelation(point.relation), point.relation]))
  if (names.size > 1) {
    throw new BackstopError(
      'USAGE_INVALID',
      `the name is in several schemas: give --table ${[...names.keys()].join(' or ')}`,
    )
  }
  return [...names.values()][0]
}
