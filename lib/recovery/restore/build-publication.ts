/** SQL that puts a table back into the publications that named it. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { TableDefinition } from '../manifest/index.ts'

/** Each by its part name, `publication p`. A publication that is gone takes nothing in: the statement passes it over. */
export function buildPublications(
  table: RelationName,
  { publications }: TableDefinition,
): { part: string; sql: string }[] {
  return (publications ?? []).map(({ name, columns, where }) => {
    const list = columns === null ? '' : ` (${columns.map(quoteIdentifier).join(', ')})`
    const filter = where === null ? '' : ` WHERE (${where})`
    const add = `ALTER PUBLICATION ${quoteIdentifier(name)} ADD TABLE ${quoteRelation(table)}${list}${filter}`
    const sql = `DO $backstop$ BEGIN ${add}; EXCEPTION WHEN undefined_object THEN NULL; END $backstop$`
    return { part: `publication ${name}`, sql }
  })
}
