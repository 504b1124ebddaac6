/** What shows the rows and values of a relation besides itself: partitions, parents and generated columns. */
import type { RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'

const KIN_QUERY = `
WITH RECURSIVE above AS (
  SELECT o AS start, o AS oid FROM unnest($1::oid[]) o
  UNION SELECT a.start, i.inhparent FROM above a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid
), below AS (
  SELECT o AS start, o AS oid FROM unnest($1::oid[]) o
  UNION SELECT b.start, i.inhrelid FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid
)
SELECT k.start::int8::float8 AS start, n.nspname AS schema, c.relname AS name, NULL AS generated, NULL AS source
FROM (SELECT * FROM above UNION SELECT * FROM below) k
JOIN pg_catalog.pg_class c ON c.oid = k.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.oid <> k.start
UNION ALL
SELECT g.attrelid::int8::float8, NULL, NULL, g.attname, s.attname
FROM pg_catalog.pg_attribute g JOIN pg_catalog.pg_attrdef e ON e.adrelid = g.attrelid AND e.adnum = g.attnum
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = g.attrelid
  AND (d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = e.oid
    OR d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = g.attrelid AND d.objsubid = g.attnum)
JOIN pg_catalog.pg_attribute s ON s.attrelid = g.attrelid AND s.attnum = d.refobjsubid AND s.attnum <> g.attnum
WHERE g.attrelid = ANY ($1::oid[]) AND g.attgenerated <> ''`

export interface Kinship {
  /** Above and below it, through all generations. */
  readonly relations: readonly RelationName[]
  /** Of every generated column, the columns that it is made of. */
  readonly sources: ReadonlyMap<string, readonly string[]>
}

/** By OID; those without kin are left out. */
export type Kin = ReadonlyMap<number, Kinship>

interface KinRow {
  readonly start: number
  readonly schema: string | null
  readonly name: string | null
  readonly generated: string | null
  readonly source: string | null
}

/** Look up the kin of every relation. */
export async function findKin(session: DatabaseSession, relationOids: readonly number[]): Promise<Kin> {
  const kin = new Map<number, { relations: RelationName[]; sources: Map<string, string[]> }>()
  for (const row of await session.query<KinRow>(KIN_QUERY, [[...relationOids]], 'backstop_kin')) {
    const { relations, sources } = kin.get(row.start) ?? { relations: [], sources: new Map<string, string[]>() }
    kin.set(row.start, { relations, sources })
    const { schema, name, generated, source } = row
    if (schema !== null && name !== null) relations.push({ schema, name })
    if (generated !== null && source !== null) sources.set(generated, [...(sources.get(generated) ?? []), source])
  }
  return kin
}
