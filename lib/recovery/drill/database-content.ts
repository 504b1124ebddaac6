/** What is in a database, in figures that two databases can be compared by: tables with digests, sequences, counts of objects. */
import { displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Finding } from './model.ts'

export interface TableContent {
  readonly rows: string
  readonly digest: string
}

export interface DatabaseContent {
  /** By display name. */
  readonly tables: ReadonlyMap<string, TableContent>
  readonly sequences: ReadonlyMap<string, string>
  /** How many there are of each kind of object. */
  readonly counts: ReadonlyMap<string, number>
}

const OUTSIDE = `n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`
const NO_MEMBER = (catalog: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`

const TABLES_SQL = `
  SELECT n.nspname::text AS schema, c.relname::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${OUTSIDE} AND ${NO_MEMBER('pg_class', 'c.oid')}
   ORDER BY 1, 2`

const SEQUENCES_SQL = `
  SELECT n.nspname::text AS schema, c.relname::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND ${OUTSIDE} AND ${NO_MEMBER('pg_class', 'c.oid')}
   ORDER BY 1, 2`

/** Each kind is what pg_dump takes along; members of extensions come with those. */
const COUNTS_SQL = `
  SELECT 'tables, views and indexes (' || c.relkind::text || ')' AS kind, count(*)::int AS count
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I', 'f') AND c.relpersistence <> 't' AND ${OUTSIDE}
     AND ${NO_MEMBER('pg_class', 'c.oid')} GROUP BY c.relkind
  UNION ALL
  SELECT 'constraints (' || o.contype::text || ')', count(*)::int FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace
   WHERE ${OUTSIDE} AND ${NO_MEMBER('pg_constraint', 'o.oid')}
     AND (o.conrelid = 0 OR ${NO_MEMBER('pg_class', 'o.conrelid')}) GROUP BY o.contype
  UNION ALL
  SELECT 'triggers', count(*)::int FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT t.tgisinternal AND ${OUTSIDE} AND ${NO_MEMBER('pg_class', 'c.oid')}
  UNION ALL
  SELECT 'policies', count(*)::int FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${OUTSIDE} AND ${NO_MEMBER('pg_class', 'c.oid')}
  UNION ALL
  SELECT 'functions', count(*)::int FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
   WHERE ${OUTSIDE} AND ${NO_MEMBER('pg_proc', 'f.oid')}
  UNION ALL
  SELECT 'extensions', count(*)::int FROM pg_extension
  UNION ALL
  SELECT 'large objects', count(*)::int FROM pg_largeobject_metadata`

/** In the transaction and under the settings of the caller. */
export async function readContent(session: DatabaseSession, signal?: AbortSignal): Promise<DatabaseContent> {
  const tables = new Map<string, TableContent>()
  for (const relation of await session.query<{ schema: string; name: string }>(TABLES_SQL)) {
    signal?.throwIfAborted()
    // The text of a row tells NULL from an empty string; its hashes sum up to the same in any order.
    const [content] = await session.query<TableContent>(
      `SELECT count(*)::text AS rows, coalesce(sum(hashtextextended(ROW(t.*)::text COLLATE "C", 0)), 0)::text AS digest
         FROM ONLY ${quoteRelation(relation)} AS t`,
    )
    if (content !== undefined) tables.set(displayRelation(relation), content)
  }
  const counts = await session.query<{ kind: string; count: number }>(COUNTS_SQL)
  return {
    tables,
    sequences: await readSequences(session),
    counts: new Map(counts.map(({ kind, count }) => [kind, count])),
  }
}

/** Sequences are outside of every transaction: what is read is what is there now. */
export async function readSequences(session: DatabaseSession): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>()
  for (const relation of await session.query<{ schema: string; name: string }>(SEQUENCES_SQL)) {
    const [row] = await session.query<{ value: string }>(
      `SELECT last_value::text || CASE WHEN is_called THEN '' ELSE ' (not called)' END AS value FROM ${quoteRelation(relation)}`,
    )
    values.set(displayRelation(relation), row?.value ?? '')
  }
  return values
}

/**
 * `laterSequences`: those of the source after the dump, which may have gone on meanwhile.
 *
 * Effects: pure
 */
export function compareContent(
  source: DatabaseContent,
  target: DatabaseContent,
  laterSequences: ReadonlyMap<string, string>,
): readonly Finding[] {
  return [
    ...compareTables(source.tables, target.tables),
    ...[...source.sequences].flatMap(([name, value]) => {
      const found = target.sequences.get(name)
      const isBetween = found !== undefined && lies(found, value, laterSequences.get(name) ?? value)
      return isBetween
        ? []
        : [{ subject: `sequence ${name}`, reason: `it is at ${found ?? 'nothing'}, not at ${value}` }]
    }),
    ...[...new Set([...source.counts.keys(), ...target.counts.keys()])].flatMap((kind) => {
      const [wanted, found] = [source.counts.get(kind) ?? 0, target.counts.get(kind) ?? 0]
      return wanted === found ? [] : [{ subject: kind, reason: `${found} came back of ${wanted}` }]
    }),
  ]
}

function compareTables(wanted: DatabaseContent['tables'], found: DatabaseContent['tables']): readonly Finding[] {
  const missing = [...wanted].flatMap(([name, { rows, digest }]) => {
    const other = found.get(name)
    if (other === undefined) return [{ subject: name, reason: 'the table was not restored' }]
    if (other.rows !== rows) return [{ subject: name, reason: `it has ${other.rows} rows, not ${rows}` }]
    return other.digest === digest ? [] : [{ subject: name, reason: 'its rows are others than those of the source' }]
  })
  const extra = [...found.keys()].filter((name) => !wanted.has(name))
  return [...missing, ...extra.map((name) => ({ subject: name, reason: 'the source has no such table' }))]
}

/** Sequences count up or down. */
function lies(found: string, before: string, after: string): boolean {
  if (found === before || found === after) return true
  const [value, first, last] = [found, before, after].map((text) => BigInt(text.split(' ')[0] ?? '0')) as [
    bigint,
    bigint,
    bigint,
  ]
  return (first <= value && value <= last) || (last <= value && value <= first)
}
