/** How each write of a statement destroys, for following it through children and cascades. */
import type { Target } from '../classify/index.ts'
import type { RelationRow } from './catalog-rows.ts'
import type { LossKind, LossRoot } from './losing-tables.ts'

/** Tables, partitioned tables, views and foreign tables hold or lead to rows. */
const HOLDS_ROWS = new Set(['r', 'p', 'v', 'f'])

function lossKind(target: Target): LossKind | undefined {
  const { access, isCascade } = target
  if (access === 'delete' || access === 'merge') return 'delete'
  if (access === 'update') return 'update'
  if (access === 'truncate') return isCascade ? 'truncate-cascade' : 'truncate'
  if (access === 'drop') return isCascade ? 'drop-cascade' : 'drop'
  return target.isDestructive ? 'alter' : undefined
}

/** The relations that the targets destroy in, each with its way of destroying. */
export function lossRoots(pairs: readonly (readonly [Target, RelationRow])[]): readonly LossRoot[] {
  return pairs.flatMap(([target, row]) => {
    const kind = lossKind(target)
    return kind === undefined || !HOLDS_ROWS.has(row.kind) ? [] : [{ oid: row.oid, kind }]
  })
}
