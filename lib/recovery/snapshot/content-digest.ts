/** SQL that reads a table's content: as COPY, and as a digest that is the same for the same rows in any order. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnEncoding, EncodingKind } from '../copy/index.ts'
import { type PageRange, WHOLE_TABLE } from './plan-ranges.ts'

/** A column as the digest takes it in. */
export interface DigestColumn {
  readonly name: string
  readonly encoding: ColumnEncoding
  /** A field of the row's hash by itself; else within the text of the row. */
  readonly isHashed: boolean
  /** The column is read as this, where the output of its own type leaves something out. */
  readonly readAs?: ReadForm | undefined
}

/** Array types that stand for others with the same bounds: XML with its declarations, and oids for what names objects. */
export const READ_FORMS = ['text[]', 'oid[]'] as const
export type ReadForm = (typeof READ_FORMS)[number]

/** The column, in the form in which it is read. */
function readForm(name: string, readAs: ReadForm | undefined): string {
  const column = `t.${quoteIdentifier(name)}`
  return readAs === undefined ? column : `${column}::pg_catalog.${readAs}`
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
  range: PageRange = WHOLE_TABLE,
): string {
  const hashed = columns.filter(({ isHashed }) => isHashed).map(hashedField)
  const others = columns.filter(({ isHashed }) => !isHashed).map(({ name, readAs }) => readForm(name, readAs))
  // The text of a row tells NULL from an empty string, 1.0 from 1.00 and -0 from 0.
  const fields =
    others.length > 0 || hashed.length === 0 ? [...hashed, `(ROW(${others.join(', ')}))::text COLLATE "C"`] : hashed
  return `SELECT coalesce(sum(hashint8extended(hash_record_extended(ROW(${fields.join(', ')}), 0), 0)), 0)::text AS digest,
    count(*)::text AS row_count ${fromClause(relation, isPartitioned, range)}`
}

/**
 * The column as a value whose hash tells it from any other: itself where its type's hash function does; else its binary form, or for
 * documents their text by the type's own output, past any cast. Under "C" text is hashed byte by byte, whatever the
 * column's own collation calls equal; regclass and its like go in as oids.
 */
function hashedField({ name, encoding }: DigestColumn): string {
  const column = `t.${quoteIdentifier(name)}`
  switch (encoding.kind) {
    case 'uint32':
      return `${column}::pg_catalog.oid`
    case 'string':
      return `${column} COLLATE "C"`
    case 'float':
      return `pg_catalog.float4send(${column})`
    case 'double':
      return `pg_catalog.float8send(${column})`
    case 'decimal':
    case 'numeric':
      return `pg_catalog.numeric_send(${column})`
    case 'json':
    case 'jsonb':
      return `pg_catalog.textin(pg_catalog.${encoding.kind}_out(${column})) COLLATE "C"`
    default:
      return column
  }
}

/** The COPY that reads the columns in their stored forms. */
export function buildCopyQuery(
  relation: RelationName,
  columns: readonly Omit<DigestColumn, 'isHashed'>[],
  isPartitioned: boolean,
  range: PageRange = WHOLE_TABLE,
): string {
  const list = columns.map(({ name, encoding, readAs }) => formOf(readForm(name, readAs), encoding.kind))
  return `COPY (SELECT ${list.join(', ')} ${fromClause(relation, isPartitioned, range)}) TO STDOUT (FORMAT binary)`
}

/** Under one snapshot a row version stays where it is: ranges of places are sets of rows without overlap. */
function fromClause(relation: RelationName, isPartitioned: boolean, { fromPage, toPage }: PageRange): string {
  const lower = fromPage === 0 ? [] : [`t.ctid >= '(${pageNumber(fromPage)},0)'::tid`]
  const upper = toPage === null ? [] : [`t.ctid < '(${pageNumber(toPage)},0)'::tid`]
  const bounds = [...lower, ...upper].join(' AND ')
  const from = `FROM ${isPartitioned ? '' : 'ONLY '}${quoteRelation(relation)} AS t`
  return bounds === '' ? from : `${from} WHERE ${bounds}`
}

function pageNumber(page: number): number {
  if (Number.isSafeInteger(page) && page >= 0) return page
  throw new BackstopError('BUG', 'a range of a table begins and ends at whole pages')
}

function formOf(column: string, kind: EncodingKind): string {
  if (kind === 'xml') return `${column}::text`
  if (kind !== 'text') return column
  // IS DISTINCT FROM: a composite of NULLs IS NULL and yet is a value. format: the type's own output, past any cast.
  return `CASE WHEN ${column} IS DISTINCT FROM NULL THEN format('%s', ${column}) END`
}
