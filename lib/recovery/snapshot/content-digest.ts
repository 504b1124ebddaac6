/** SQL of the whole-content digest: the same for the same set of rows, whatever their order. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnEncoding, EncodingKind } from '../copy/index.ts'

/** Of an empty table. */
export const EMPTY_DIGEST = '0'

/**
 * `digest` and `row_count` of the named columns, both as text.
 *
 * Each row's text is hashed to 64 bits; the digest is the exact sum. Equal rows add up, so that duplicates count. The text
 * form tells NULL from an empty string, 1.0 from 1.00 and -0 from 0. What the sum is worth is in docs/formats/snapshot.md.
 */
export function buildDigestQuery(relation: RelationName, columns: readonly string[], isPartitioned: boolean): string {
  const row = `ROW(${columns.map((column) => `t.${quoteIdentifier(column)}`).join(', ')})`
  const from = `${isPartitioned ? '' : 'ONLY '}${quoteRelation(relation)}`
  return `SELECT coalesce(sum(hashtextextended((${row})::text COLLATE "C", 0)), 0)::text AS digest,
    count(*)::text AS row_count FROM ${from} AS t`
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
