/** Relations that share rows with others: partitions and children with what is above and below them. */
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
SELECT k.start::int8::float8 AS start, n.nspname AS schema, c.relname AS name
FROM (SELECT * FROM above UNION SELECT * FROM below) k
JOIN pg_catalog.pg_class c ON c.oid = k.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.oid <> k.start`

/** By OID; those without kin are left out. */
export type Kin = ReadonlyMap<number, readonly RelationName[]>

/** Look up every relation above and below these, through all generations. */
export async function findKin(session: DatabaseSession, relationOids: readonly number[]): Promise<Kin> {
  const kin = new Map<number, RelationName[]>()
  const rows = await session.query<RelationName & { start: number }>(KIN_QUERY, [[...relationOids]], 'backstop_kin')
  for (const { start, schema, name } of rows) kin.set(start, [...(kin.get(start) ?? []), { schema, name }])
  return kin
}
