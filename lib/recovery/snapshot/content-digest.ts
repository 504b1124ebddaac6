/** SQL that reads a table's content: as COPY, and as a digest that is the same for the same rows in any order. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnEncoding, EncodingKind } from '../copy/index.ts'

/** A column as the digest takes it in. */
export interface DigestColumn {
  readonly name: string
  readonly encoding: ColumnEncoding
  /** By its type's own hash function; else by its text. */
  readonly isHashed: boolean
}

/**
 * `digest` and `row_count` of the named columns, both as text.
 *
 * Each row becomes a 64-bit hash; the digest is their exact sum, so that duplicates count and order does not. The last
 * mixing step is what ties the values of a row together: without it, values that trade places within a column would give
 * the same sum. What the sum is worth is in docs/formats/snapshot.md.
 */
export function buildDigestQuery(
  relation: RelationName,
  columns: readonly DigestColumn[],
  isPartitioned: boolean,
): string {
  const hashed = columns.filter(({ isHashed }) => isHashed).map(hashedField)
  const others = columns.filter(({ isHashed }) => !isHashed).map(({ name }) => `t.${quoteIdentifier(name)}`)
  // The text of a row tells NULL from an empty string, 1.0 from 1.00 and -0 from 0.
  const fields =
    others.length > 0 || hashed.length === 0 ? [...hashed, `(ROW(${others.join(', ')}))::text COLLATE "C"`] : hashed
  const from = `${isPartitioned ? '' : 'ONLY '}${quoteRelation(relation)}`
  return `SELECT coalesce(sum(hashint8extended(hash_record_extended(ROW(${fields.join(', ')}), 0), 0)), 0)::text AS digest,
    count(*)::text AS row_count FROM ${from} AS t`
}

/** Under "C" text is hashed byte by byte, whatever the column's own collation calls equal; regclass and its like as oids. */
function hashedField({ name, encoding }: DigestColumn): string {
  const column = `t.${quoteIdentifier(name)}`
  if (encoding.kind === 'uint32') return `${column}::pg_catalog.oid`
  return encoding.kind === 'string' ? `${column} COLLATE "C"` : column
}

/** The COPY that reads the columns in their stored forms. */
export function buildCopyQuery(
  relation: RelationName,
  columns: readonly { readonly name: string; readonly encoding: ColumnEncoding }[],
  isPartitioned: boolean,
): string {
  const list = columns.map(({ name, encoding }) => formOf(`t.${quoteIdentifier(name)}`, encoding.kind))
  const from = `${isPartitioned ? '' : 'ONLY '}${quoteRelation(relation)}`
  return `COPY (SELECT ${list.join(', ')} FROM ${from} AS t) TO STDOUT (FORMAT binary)`
}

function formOf(column: string, kind: EncodingKind): string {
  if (kind === 'xml') return `${column}::text`
  if (kind !== 'text') return column
  // IS DISTINCT FROM: a composite of NULLs IS NULL and yet is a value. format: the type's own output, past any cast.
  return `CASE WHEN ${column} IS DISTINCT FROM NULL THEN format('%s', ${column}) END`
}
