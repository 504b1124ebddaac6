/** A captured table, dropped and brought back as an operator would; and what of its definition has to be the same. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { Manifest } from '#lib/recovery/manifest/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from './open.ts'

export async function captureManifest(slice: TestRecovery, relation: RelationName): Promise<Manifest> {
  const point = await slice.recovery.capture(relation, 'manual')
  return (await slice.recovery.readManifest(point.snapshotId)).manifest
}

/** Restore beside, then the printed way back, executed as it stands. */
export async function bringBack(db: TestDatabase, slice: TestRecovery, { snapshotId }: Manifest) {
  const report = await slice.recovery.restore({ snapshotId })
  const plan = await slice.recovery.planCopyback(snapshotId)
  await db.run(plan.statements.join(';\n'))
  return report
}

/**
 * Names that the server gives to the indexes of partitions, and to what they make, are its own; columns of a table that was
 * attached lie in the order of the tree afterwards.
 */
export function comparable({ definition }: Manifest): unknown {
  const partitions = definition.partitions.map(({ definition: own, ...place }) => ({
    ...place,
    own: own && {
      ...own,
      indexes: own.indexes.filter(({ isInherited }) => isInherited !== true),
      constraints: own.constraints.filter(({ isInherited }) => !isInherited),
      columns: own.columns.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    },
  }))
  return { ...definition, partitions }
}
