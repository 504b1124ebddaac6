/** The types of a database and what each is made of, from its catalog. */
import type { TestDatabase } from '#test/support/postgres.ts'

export interface CatalogType {
  readonly oid: number
  /** As `format_type` writes it with an empty search path. */
  readonly sql: string
  readonly schema: string
  readonly name: string
  /** pg_type.typtype: base, composite, domain, enum, multirange, pseudo, range. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'm' | 'p' | 'r'
  readonly isBuiltIn: boolean
  /** Of an array. */
  readonly element: number | null
  /** Of a domain its base type, of a range its bounds' type, of a multirange its range. */
  readonly base: number | null
  /** Of a composite, in order. */
  readonly fields: readonly number[]
  readonly labels: readonly string[]
  /** True when it has a binary output of its own. */
  readonly hasSend: boolean
}

export type TypeGraph = ReadonlyMap<number, CatalogType>

const TYPES_SQL = `SET search_path TO ''; SELECT json_agg(json_build_object(
  'oid', t.oid::int8, 'sql', format_type(t.oid, -1), 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
  'isBuiltIn', t.oid < 16384,
  'element', CASE WHEN t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A' THEN t.typelem::int8 END,
  'base', coalesce(nullif(t.typbasetype, 0), r.rngsubtype, m.rngtypid)::int8,
  'fields', coalesce((SELECT json_agg(a.atttypid::int8 ORDER BY a.attnum) FROM pg_attribute a
     WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
  'labels', coalesce((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '[]'),
  'hasSend', t.typsend <> 0) ORDER BY t.oid)::text AS types
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_range m ON m.rngmultitypid = t.oid AND t.typtype = 'm'
 WHERE t.typisdefined AND n.nspname !~ '^pg_(toast|temp)'`

export async function readTypes(db: TestDatabase): Promise<TypeGraph> {
  const rows = await db.run(TYPES_SQL)
  const types = JSON.parse(String(rows[0]?.['types'])) as CatalogType[]
  return new Map(types.map((type) => [type.oid, type]))
}

export function typeOf(graph: TypeGraph, oid: number): CatalogType {
  const type = graph.get(oid)
  if (type === undefined) throw new RangeError(`no type ${oid}`)
  return type
}

/** The type and everything that its values are made of. */
export function partsOf(graph: TypeGraph, oid: number): readonly CatalogType[] {
  const parts = new Map<number, CatalogType>()
  const visit = (next: number) => {
    if (parts.has(next)) return
    const type = typeOf(graph, next)
    parts.set(next, type)
    for (const part of [type.element, type.base, ...type.fields]) if (part !== null) visit(part)
  }
  visit(oid)
  return [...parts.values()]
}
