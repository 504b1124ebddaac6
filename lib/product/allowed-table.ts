/** Whether a table is one of those that the settings name; none named: every table is. Pure. */
import { displayRelation, type RelationName } from '#lib/kernel/index.ts'

export function isAllowedTable(relation: RelationName, allowed: readonly string[]): boolean {
  return allowed.length === 0 || allowed.includes(relation.name) || allowed.includes(displayRelation(relation))
}
