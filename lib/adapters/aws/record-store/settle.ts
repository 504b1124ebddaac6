/**
 * Who caused a failed condition: another writer, or this very write, whose first answer was lost and which was sent again?
 *
 * Asked only when an earlier attempt of the same call may have had its effect. What tells them apart are the marks on the
 * item (see write-item.ts): `born` outlives every later replacement, `nonce` belongs to one version.
 *
 *   create of this write     born is ours                     applied, whatever came after it
 *                            born is another's                conflict
 *   replacement of version v version v+1 and nonce is ours    applied
 *                            version v+1, nonce another's     conflict: one write made v+1, and it was not ours
 *                            any other version, or absent     unknown: v+1 has come and gone, by whom cannot be seen
 */
import type { RecordWrite } from '#lib/ports/index.ts'
import type { Item } from './item.ts'

export type Settlement = 'applied' | 'conflict' | 'unknown'

type MarkedWrite = Extract<RecordWrite, { readonly kind: 'create' | 'replace' }>

/** `current`: the item as a strongly consistent read shows it now; undefined: absent. */
export function settleConflict(write: MarkedWrite, nonce: string, current: Item | undefined): Settlement {
  if (current === undefined) return 'unknown'
  if (write.kind === 'create') return current['born']?.S === nonce ? 'applied' : 'conflict'
  if (Number(current['version']?.N) !== write.expectedVersion + 1) return 'unknown'
  return current['nonce']?.S === nonce ? 'applied' : 'conflict'
}
