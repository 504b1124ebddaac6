/** Compares the tables that are there with those that were. */
import { quoteRelation } from '#lib/kernel/index.ts'
import type { GoneTable, KnownTable, RenamedTable, SeenTable } from './table-model.ts'

export interface TableChanges {
  readonly appeared: readonly SeenTable[]
  readonly renamed: readonly RenamedTable[]
  readonly gone: readonly GoneTable[]
}

/**
 * By oid: a table under another name, in another schema or out of its partitioned table is the same table.
 *
 * Effects: pure
 */
export function planTables(known: readonly KnownTable[], present: readonly SeenTable[]): TableChanges {
  const byOid = new Map(present.map((table) => [table.oid, table]))
  const byName = new Map(present.map((table) => [quoteRelation(table.relation), table.oid]))
  const knownOids = new Set(known.map(({ oid }) => oid))
  const schemas = new Set(present.map(({ relation }) => relation.schema))
  const renamed = known.flatMap(({ oid, relation }) => {
    const now = byOid.get(oid)
    const isSame = now === undefined || quoteRelation(now.relation) === quoteRelation(relation)
    return isSame ? [] : [{ oid, from: relation, to: now.relation }]
  })
  const gone = known.flatMap((table) => {
    if (byOid.has(table.oid)) return []
    const replacedByOid = byName.get(quoteRelation(table.relation)) ?? null
    return [{ table, replacedByOid, isSchemaGone: !schemas.has(table.relation.schema) }]
  })
  return { appeared: present.filter(({ oid }) => !knownOids.has(oid)), renamed, gone }
}
