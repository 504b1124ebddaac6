/** Which recovery point: only valid ones are ever offered. */
import { BackstopError, displayRelation, epochMsOf, type RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { CommandContext } from '../frame/index.ts'
import type { FoundPoints } from '../snapshots/index.ts'
import { formatBytes, formatDuration } from '../terminal/index.ts'

const MOST_OFFERED = 10

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
      label: `${point.capturedAt}  ${formatDuration(nowMs - epochMsOf(point.capturedAt))} old, ${point.rowCount} rows`,
      hint: `${point.snapshotId}, ${point.origin}, ${formatBytes(point.sizeBytes)}`,
    })),
  )
  return points.find((point) => point.snapshotId === chosen) ?? newest
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
