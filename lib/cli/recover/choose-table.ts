/** Which table, of those that have a valid recovery point; and which one a misspelt name may have meant. */
import { BackstopError, displayRelation, epochMsOf, isBackstopError } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { FoundPoints } from '../snapshots/index.ts'
import type { Asker } from '../terminal/index.ts'
import { formatDuration } from '../terminal/index.ts'

const MOST_NAMED = 3

/** The newest valid point of each table, by name. */
function newestOfEach(points: readonly RecoveryPoint[]): readonly RecoveryPoint[] {
  const newest = new Map<string, RecoveryPoint>()
  for (const point of points) {
    const name = displayRelation(point.relation)
    if (point.status === 'valid' && !newest.has(name)) newest.set(name, point)
  }
  return [...newest].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, point]) => point)
}

/** As `--table` takes it. Throws SNAPSHOT_NONE_VALID, Cancelled. */
export async function askTable({ points, problems }: FoundPoints, ask: Asker, nowMs: number): Promise<string> {
  const tables = newestOfEach(points)
  if (tables.length === 0) {
    const others = points.length + problems.length
    const rest = others === 0 ? 'there is none at all' : `none of the ${others} that are there can be trusted`
    throw new BackstopError('SNAPSHOT_NONE_VALID', `no valid snapshots of any table: ${rest}`)
  }
  return await ask.find(
    'Which table? Type to narrow the list',
    tables.map(({ relation, capturedAt, rowCount }) => ({
      value: writeTable(relation.schema, relation.name),
      label: displayRelation(relation),
      hint: `newest ${formatDuration(nowMs - epochMsOf(capturedAt))} old, ${rowCount} rows`,
    })),
  )
}

function writeTable(schema: string, name: string): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join('.')
}

/** The same error; where there are no points of such a name at all, with those that are spelt alike. */
export function withNearestNames(error: unknown, written: string, everything: readonly RecoveryPoint[]): unknown {
  if (!isBackstopError(error, 'SNAPSHOT_NONE_VALID') || !error.message.includes('there is none at all')) return error
  const wanted = written.replaceAll('"', '').toLowerCase()
  const nearest = newestOfEach(everything)
    .map(({ relation }) => displayRelation(relation))
    .map((name) => ({
      name,
      distance: Math.min(editsBetween(wanted, name.toLowerCase()), editsBetween(wanted, bareName(name))),
    }))
    .filter(({ distance }) => distance <= Math.max(2, Math.floor(wanted.length / 3)))
    .sort((left, right) => left.distance - right.distance)
    .slice(0, MOST_NAMED)
  if (nearest.length === 0) return error
  const names = nearest.map(({ name }) => name).join(' or ')
  return new BackstopError('SNAPSHOT_NONE_VALID', `${error.message}; did you mean ${names}?`)
}

function bareName(name: string): string {
  return name.slice(name.indexOf('.') + 1).toLowerCase()
}

/** Letters to add, drop or change. */
export function editsBetween(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...left].entries()) {
    const next = [index + 1]
    for (const [place, other] of [...right].entries()) {
      const replaced = (row[place] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[place + 1] ?? 0) + 1, (next[place] ?? 0) + 1))
    }
    row = next
  }
  return row[right.length] ?? 0
}
