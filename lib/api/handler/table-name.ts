/** Read a table's name as people write it in a query parameter. */
import { BackstopError } from '#lib/kernel/index.ts'

export interface WrittenTable {
  /** Absent: no schema was named. */
  readonly schema?: string
  readonly table: string
}

const PART = String.raw`"((?:[^"\0]|"")+)"|([^".\0]+)`
const TABLE_NAME = new RegExp(`^(?:(?:${PART})\\.)?(?:${PART})$`)

/**
 * `orders`, `shop.orders`, `"Odd.Schema"."Table"`. Names are taken as the catalog stores them; nothing is folded.
 *
 * Throws: `REQUEST_INVALID`
 */
export function decodeTableName(text: string): WrittenTable {
  const match = TABLE_NAME.exec(text)
  if (match === null) throw new BackstopError('REQUEST_INVALID', 'table must be a name, schema.name or "Quoted"."Name"')
  const [, quotedSchema, plainSchema, quotedTable, plainTable] = match
  const table = quotedTable?.replaceAll('""', '"') ?? plainTable ?? ''
  const schema = quotedSchema?.replaceAll('""', '"') ?? plainSchema
  return schema === undefined ? { table } : { schema, table }
}
