/** The recovery points of a table: what the storage holds, with what the metadata database knows of each. */

import type { RelationName } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Recovery, ScanProblem } from '#lib/recovery/index.ts'

export interface FoundPoints {
  /** Newest first. */
  readonly points: readonly RecoveryPoint[]
  /** Manifests that cannot be trusted, and captures that never finished. */
  readonly problems: readonly ScanProblem[]
}

/** A table as it was written: without a schema it may be in any. */
export interface TableFilter {
  readonly relation: RelationName
  readonly isAnySchema: boolean
}

function matches(point: RecoveryPoint, filter: TableFilter | undefined): boolean {
  if (filter === undefined) return true
  const { relation, isAnySchema } = filter
  return point.relation.name === relation.name && (isAnySchema || point.relation.schema === relation.schema)
}

/** The folder of a table is `snapshots/<schema>.<table>/…`; a problem without a readable manifest is known by its key alone. */
function concerns(problem: ScanProblem, filter: TableFilter | undefined): boolean {
  return filter === undefined || problem.key.includes(encodeURIComponent(filter.relation.name))
}

/** The storage is the truth about what is there; a point that the catalog has set aside stays set aside. */
export async function findPoints(recovery: Recovery, filter?: TableFilter): Promise<FoundPoints> {
  const scope = filter === undefined || filter.isAnySchema ? undefined : filter.relation
  const report = await recovery.scan(scope)
  const points = await Promise.all(
    report.points
      .filter((point) => matches(point, filter))
      .map(async (point) => (await recovery.find(point.snapshotId)) ?? point),
  )
  const problems =
    scope === undefined ? report.problems.filter((problem) => concerns(problem, filter)) : report.problems
  return { points, problems }
}
