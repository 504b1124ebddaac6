/** Reads the table that stands where the original was, or that the original has become. */
import { quoteRelation, type RelationName } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest, TriggerDefinition } from '../manifest/index.ts'

export interface RenamedColumn {
  readonly from: string
  /** As the snapshot has it. */
  readonly to: string
}

export interface StandingTable {
  /** Where it is: another name than the snapshot's when the table was renamed or moved. */
  readonly relation: RelationName
  /** Another table took the name of the one that was captured. */
  readonly isRecreated: boolean
  readonly isEmpty: boolean
  readonly isPartitioned: boolean
  /** Views or foreign keys of others are built on it. */
  readonly hasDependents: boolean
  /** Names that exist on it, as in `recoveredParts`. */
  readonly parts: readonly string[]
  /** Under the names of the snapshot. */
  readonly columns: readonly string[]
  readonly renamedColumns: readonly RenamedColumn[]
  /** Columns of another type than the snapshot's. */
  readonly alteredColumns: readonly string[]
  /** Columns that the snapshot does not know and that refuse a row without them. */
  readonly demandingColumns: readonly string[]
  /** Enabled triggers, which must not act on rows that come back. */
  readonly firingTriggers: readonly { readonly name: string; readonly firing: TriggerDefinition['firing'] }[]
  /** Enabled rules, likewise. */
  readonly firingRules: readonly { readonly name: string; readonly firing: TriggerDefinition['firing'] }[]
  /** Sequences that its columns own. */
  readonly sequences: readonly { readonly column: string; readonly sequence: RelationName }[]
  /** Foreign keys of other tables that refer to it now. */
  readonly incomingKeys: readonly { readonly name: string; readonly schema: string; readonly table: string }[]
  /** Foreign keys of other tables under which a DELETE here changes rows there. */
  readonly cascades: readonly string[]
}

interface ColumnState {
  readonly name: string
  readonly type: string
  readonly isDropped: boolean
  readonly isDemanding: boolean
}

const OID = `(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2)`

const COLUMNS_SQL = `
  SELECT coalesce(json_agg(json_build_object('name', a.attname, 'isDropped', a.attisdropped,
      'type', CASE WHEN a.attisdropped THEN '' ELSE format_type(a.atttypid, a.atttypmod) END,
      'isDemanding', a.attnotnull AND NOT a.atthasdef AND a.attidentity = '') ORDER BY a.attnum), '[]')::text AS columns
    FROM pg_attribute a WHERE a.attrelid = ${OID} AND a.attnum > 0`

/** Types are written as the snapshot writes them: with an empty search path. */
async function readColumns(session: DatabaseSession, relation: RelationName): Promise<readonly ColumnState[]> {
  const before = await session.query<{ path: string }>(`SELECT current_setting('search_path') AS path`)
  await session.execute(`SET LOCAL search_path TO ''`)
  const rows = await session.query<{ columns: string }>(COLUMNS_SQL, [relation.schema, relation.name])
  await session.query(`SELECT set_config('search_path', $1, true)`, [before[0]?.path ?? ''])
  return JSON.parse(rows[0]?.columns ?? '[]') as ColumnState[]
}

export async function isThere(session: DatabaseSession, relation: RelationName): Promise<boolean> {
  const rows = await session.query<{ oid: string | null }>(`SELECT ${OID}::text AS oid`, [
    relation.schema,
    relation.name,
  ])
  return rows[0]?.oid != null
}

/** The table of that name; else the captured table itself, when it lives on under another one. */
export async function findStanding(
  session: DatabaseSession,
  manifest: Manifest,
  recovered: RelationName,
): Promise<RelationName | undefined> {
  if (await isThere(session, manifest.relation)) return manifest.relation
  const rows = await session.query<{ readonly schema: string; readonly name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.oid = $1::oid AND c.relkind IN ('r', 'p') AND current_database() = $2`,
    [String(manifest.relationOid), manifest.source.database.split('/').at(-1) ?? ''],
  )
  const [found] = rows
  if (found === undefined || (found.schema === recovered.schema && found.name === recovered.name)) return undefined
  // The number alone may be another table's in a copy of the database: its columns have to be there as well.
  const columns = await readColumns(session, found)
  const isSame = manifest.definition.columns.every(({ name, type }) =>
    columns.some((column) => column.name === name && column.type === type),
  )
  return isSame ? { schema: found.schema, name: found.name } : undefined
}

export async function readStanding(
  session: DatabaseSession,
  manifest: Manifest,
  relation: RelationName,
): Promise<StandingTable> {
  const all = await readColumns(session, relation)
  const present = all.filter(({ isDropped }) => !isDropped)
  const facts = await readFacts(session, relation)
  const isRecreated = facts.oid !== String(manifest.relationOid)
  const renamedColumns = isRecreated ? [] : findRenamed(manifest, all)
  const nameOf = (name: string) => renamedColumns.find(({ from }) => from === name)?.to ?? name
  const known = new Map(manifest.definition.columns.map((column) => [column.name, column]))
  const columns = present.map((column) => ({ ...column, name: nameOf(column.name) }))
  return {
    relation,
    isRecreated,
    isEmpty: facts.isEmpty,
    isPartitioned: facts.isPartitioned,
    hasDependents: facts.hasDependents,
    parts: await readParts(session, relation),
    columns: columns.map(({ name }) => name),
    renamedColumns,
    alteredColumns: columns
      .filter(({ name, type }) => known.has(name) && known.get(name)?.type !== type)
      .map(({ name }) => name),
    demandingColumns: columns
      .filter(({ name, isDemanding }) => isDemanding && !known.has(name))
      .map(({ name }) => name),
    firingTriggers: facts.triggers,
    firingRules: facts.rules,
    sequences: facts.sequences.map(({ column, schema, name }) => ({
      column: nameOf(column),
      sequence: { schema, name },
    })),
    incomingKeys: facts.incomingKeys,
    cascades: facts.cascades,
  }
}

/**
 * Columns of the snapshot that live on under another name: one of the same type, between the same neighbours, with no
 * dropped column among them. Where a column was dropped and another added, the dropped one still has its place.
 */
function findRenamed(manifest: Manifest, all: readonly ColumnState[]): readonly RenamedColumn[] {
  const wanted = manifest.definition.columns
  const renamed: RenamedColumn[] = []
  for (const [index, column] of wanted.entries()) {
    if (all.some(({ name, isDropped }) => !isDropped && name === column.name)) continue
    const before = wanted[index - 1]?.name
    const from = before === undefined ? 0 : all.findIndex(({ name, isDropped }) => !isDropped && name === before) + 1
    const candidate = all[from]
    if (candidate === undefined || candidate.isDropped || candidate.type !== column.type) continue
    if (before !== undefined && from === 0) continue
    if (wanted.some(({ name }) => name === candidate.name)) continue
    renamed.push({ from: candidate.name, to: column.name })
  }
  return renamed
}

interface Facts {
  readonly oid: string
  readonly isPartitioned: boolean
  readonly isEmpty: boolean
  readonly hasDependents: boolean
  readonly triggers: StandingTable['firingTriggers']
  readonly rules: StandingTable['firingRules']
  readonly sequences: readonly (RelationName & { readonly column: string })[]
  readonly incomingKeys: StandingTable['incomingKeys']
  readonly cascades: readonly string[]
}

const FIRING = (column: string) => `CASE ${column} WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE 'origin' END`

const FACTS_SQL = `
  SELECT json_build_object('oid', c.oid::text, 'isPartitioned', c.relkind = 'p',
    'hasDependents', EXISTS (SELECT FROM pg_constraint k WHERE k.confrelid = c.oid AND k.conrelid <> c.oid)
      OR EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND w.ev_class <> c.oid)
      OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid),
    'triggers', (SELECT coalesce(json_agg(json_build_object('name', t.tgname, 'firing', ${FIRING('t.tgenabled')}) ORDER BY t.tgname), '[]')
      FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'),
    'rules', (SELECT coalesce(json_agg(json_build_object('name', w.rulename, 'firing', ${FIRING('w.ev_enabled')}) ORDER BY w.rulename), '[]')
      FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.ev_enabled <> 'D'),
    'sequences', (SELECT coalesce(json_agg(json_build_object('column', a.attname, 'schema', n.nspname, 'name', s.relname)), '[]')
      FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')),
    'incomingKeys', (SELECT coalesce(json_agg(json_build_object('name', k.conname, 'schema', n.nspname, 'table', r.relname)), '[]')
      FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
      WHERE k.confrelid = c.oid AND k.contype = 'f'),
    'cascades', (SELECT coalesce(json_agg(k.conname || ' of ' || k.conrelid::regclass ORDER BY k.conname), '[]')
      FROM pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd')))::text AS facts
  FROM pg_class c WHERE c.oid = ${OID}`

async function readFacts(session: DatabaseSession, relation: RelationName): Promise<Facts> {
  const rows = await session.query<{ facts: string }>(FACTS_SQL, [relation.schema, relation.name])
  const facts = JSON.parse(rows[0]?.facts ?? '{}') as Omit<Facts, 'isEmpty'>
  const some = await session.query(`SELECT 1 FROM ${quoteRelation(relation)} LIMIT 1`)
  return { ...facts, isEmpty: some.length === 0 }
}

export async function readParts(session: DatabaseSession, relation: RelationName): Promise<string[]> {
  const rows = await session.query<{ part: string }>(
    `WITH t AS (SELECT ${OID} AS oid)
     SELECT 'policy ' || polname AS part FROM pg_policy, t WHERE polrelid = t.oid
     UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger, t WHERE tgrelid = t.oid AND NOT tgisinternal
     UNION ALL SELECT 'rule ' || rulename FROM pg_rewrite, t WHERE ev_class = t.oid
     UNION ALL SELECT 'constraint ' || conname FROM pg_constraint, t WHERE conrelid = t.oid
     UNION ALL SELECT 'index ' || i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid, t WHERE x.indrelid = t.oid
     UNION ALL SELECT 'table ' || c.relname FROM t, pg_partition_tree(t.oid) p JOIN pg_class c ON c.oid = p.relid WHERE p.relid <> t.oid
     UNION ALL SELECT 'index ' || i.relname FROM t, pg_partition_tree(t.oid) p JOIN pg_index x ON x.indrelid = p.relid
       JOIN pg_class i ON i.oid = x.indexrelid WHERE p.relid <> t.oid
     UNION ALL SELECT 'publication ' || p.pubname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid, t WHERE r.prrelid = t.oid
     UNION ALL SELECT 'statistics ' || stxname FROM pg_statistic_ext, t WHERE stxrelid = t.oid
     UNION ALL SELECT 'sequence ' || s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S', t
       WHERE d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_class'::regclass AND d.refobjid = t.oid`,
    [relation.schema, relation.name],
  )
  return rows.map((row) => row.part)
}
