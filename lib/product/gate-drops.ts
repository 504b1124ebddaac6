/** Tells tables that a statement of the gate has dropped from those that went past it. */
import type { AuditEvent } from '#lib/gate/index.ts'
import { epochMsOf, instantFrom, MINUTE_MS } from '#lib/kernel/index.ts'
import type { DroppedTable, TableLook } from '#lib/recovery/index.ts'
import type { Parts } from './model.ts'

const PAGE = 500
const MAX_PAGES = 20
/** A statement begins before its effect, and clocks differ. */
const BEFORE_MS = 15 * MINUTE_MS

export interface SortedDrops {
  readonly byGate: readonly DroppedTable[]
  readonly outside: readonly DroppedTable[]
}

/**
 * By the ledger alone: a DROP that was executed through the gate, and took its final snapshot of this very table. A
 * partitioned table has no rows and no snapshot: it goes with its partitions.
 *
 * Invariants: what cannot be found there was not dropped by the gate: an alarm too many, never one too few
 * Throws:     METADATA_UNREACHABLE, AUDIT_UNAVAILABLE
 */
export async function sortDrops(
  parts: Pick<Parts, 'ledger'>,
  dropped: readonly DroppedTable[],
  look: TableLook,
): Promise<SortedDrops> {
  if (dropped.length === 0 || look.since === null) return { byGate: [], outside: dropped }
  const drops = await readDrops(parts, instantFrom(epochMsOf(look.since) - BEFORE_MS))
  const isOfGate = (one: DroppedTable) => drops.some((event) => hasDropped(event, one))
  const withRows = dropped.filter(({ table }) => table.holdsRows)
  const isAnyOfGate = withRows.some(isOfGate)
  const isByGate = (one: DroppedTable) => (one.table.holdsRows ? isOfGate(one) : isAnyOfGate || isOfGate(one))
  return { byGate: dropped.filter(isByGate), outside: dropped.filter((one) => !isByGate(one)) }
}

async function readDrops({ ledger }: Pick<Parts, 'ledger'>, from: ReturnType<typeof instantFrom>) {
  const drops: AuditEvent[] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const found = await ledger.list({ from, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
    drops.push(
      ...found.events.filter(
        ({ intent, result }) => result?.outcome === 'executed' && intent.operation?.startsWith('DROP') === true,
      ),
    )
    cursor = found.cursor
    if (cursor === undefined) break
  }
  return drops
}

/** Where a policy asks for no recovery point, the statement's own words have to do. */
function hasDropped({ intent, result }: AuditEvent, { table, point }: DroppedTable): boolean {
  const points = result?.facts?.['recoveryPoints']
  if (Array.isArray(points) && points.length > 0) {
    return point !== null && point.relationOid === table.oid && points.includes(point.snapshotId)
  }
  return intent.query?.toLowerCase().includes(table.relation.name.toLowerCase()) === true
}
