/** Decides how recovered rows, or the whole recovered table, get back to where they belong. */
import { BackstopError, displayRelation } from '#lib/kernel/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { bringBackRows } from './copyback-rows.ts'
import type { CopybackSituation } from './copyback-situation.ts'
import { canMakeRoom, replaceTable } from './copyback-table.ts'
import type { ConflictPolicy, CopybackPlan } from './model.ts'

/**
 * The copyback of a recovered table.
 *
 * `conflictPolicy` is about rows that exist in both and differ: `overwrite` (the default) sets them back, `skip` leaves
 * them as they are, `fail` refuses.
 *
 * Effects: pure
 * Throws:  `RESTORE_TARGET_EXISTS` under `fail` when rows differ
 */
export function planCopyback(
  manifest: Manifest,
  situation: CopybackSituation,
  conflictPolicy: ConflictPolicy = 'overwrite',
): CopybackPlan {
  const { original } = situation
  if (original === null || canMakeRoom(situation)) return replaceTable(manifest, situation)
  if (conflictPolicy === 'fail' && original.differingRows > 0) {
    throw new BackstopError(
      'RESTORE_TARGET_EXISTS',
      `${original.differingRows} rows of ${displayRelation(manifest.relation)} differ from the snapshot`,
    )
  }
  return bringBackRows(manifest, situation.recovered, original, conflictPolicy)
}
