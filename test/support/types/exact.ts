/** Compares columns bit for bit: by the type's binary output, and by its text. */
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import type { CatalogType, TypeGraph } from './type-graph.ts'
import { partsOf } from './type-graph.ts'

/** The binary output of a value of any type that has one, by way of a row. */
function binaryOf(graph: TypeGraph, type: CatalogType, column: string): string {
  const hasBinary = partsOf(graph, type.oid).every(({ hasSend }) => hasSend)
  return hasBinary ? `pg_catalog.record_send(ROW(${column}))` : `format('%s', ${column})`
}

/** The cast shows what the output function leaves out of XML. */
function textOf({ name }: CatalogType, column: string): string {
  if (name === 'xml') return `${column}::text`
  return name === '_xml' ? `${column}::text[]::text` : `format('%s', ${column})`
}

export interface ExactColumn {
  readonly name: string
  readonly type: CatalogType
}

/** Columns whose values differ between two tables with the same `id`s, with how many do. */
export async function differingColumns(
  db: TestDatabase,
  graph: TypeGraph,
  columns: readonly ExactColumn[],
  left: string,
  right: string,
): Promise<Record<string, number>> {
  const counts = columns.map(({ name, type }) => {
    const of = (alias: string) => `${alias}.${quoteIdentifier(name)}`
    const binary = (alias: string) => binaryOf(graph, type, of(alias))
    const text = (alias: string) => textOf(type, of(alias))
    const differ = `(${of('l')} IS DISTINCT FROM NULL) <> (${of('r')} IS DISTINCT FROM NULL)
      OR ${binary('l')} IS DISTINCT FROM ${binary('r')} OR ${text('l')} COLLATE "C" IS DISTINCT FROM ${text('r')} COLLATE "C"`
    return `count(*) FILTER (WHERE l.id IS NULL OR r.id IS NULL OR ${differ})::integer AS ${quoteIdentifier(name)}`
  })
  const rows = await db.run(
    `SET search_path TO ''; SET extra_float_digits TO 3; SELECT ${counts.join(', ')} FROM ${left} l FULL JOIN ${right} r USING (id)`,
  )
  const found = Object.entries(rows[0] ?? {}) as [string, number][]
  if (found.length !== columns.length) throw new Error('the comparison looked at nothing')
  return Object.fromEntries(found.filter(([, count]) => count !== 0))
}
