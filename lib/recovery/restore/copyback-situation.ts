/** Reads how the original table stands beside its recovered copy: what is missing, what differs. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest, TriggerDefinition } from '../manifest/index.ts'

export interface OriginalState {
  /** Names that exist on it, as in `recoveredParts`. */
  readonly parts: readonly string[]
  readonly columns: readonly string[]
  /** Columns of the primary key that both tables have; empty: rows are matched as wholes. */
  readonly key: readonly string[]
  /** Enabled triggers, which must not act on rows that come back. */
  readonly firingTriggers: readonly { readonly name: string; readonly firing: TriggerDefinition['firing'] }[]
  /** Rows of the recovered table that the original lacks. */
  readonly missingRows: number
  /** Rows of the same key and other content; 0 without a key. */
  readonly differingRows: number
  /** Rows of the original that the snapshot does not know. */
  readonly extraRows: number
}

export interface CopybackSituation {
  readonly recovered: RelationName
  /** Null when the original is gone. */
  readonly original: OriginalState | null
  /** Names that exist on the recovered table: `policy p`, `trigger t`, `index i`, `constraint c`, `sequence s`, `rule r`. */
  readonly recoveredParts: readonly string[]
  /** Quoted names of the tables in the manifest's relations that exist now. */
  readonly existingTables: readonly string[]
}

/** Throws TABLE_MISSING when there is no recovered table. Reads both tables whole. */
export async function readSituation(
  session: DatabaseSession,
  manifest: Manifest,
  recovered: RelationName,
): Promise<CopybackSituation> {
  const recoveredColumns = await readColumns(session, recovered)
  if (recoveredColumns === undefined) {
    throw new BackstopError('TABLE_MISSING', `there is no recovered table ${displayRelation(recovered)}`)
  }
  const columns = await readColumns(session, manifest.relation)
  return {
    recovered,
    original:
      columns === undefined ? null : await readOriginal(session, manifest, recovered, columns, recoveredColumns),
    recoveredParts: await readParts(session, recovered),
    existingTables: await readExisting(session, manifest),
  }
}

async function readColumns(session: DatabaseSession, relation: RelationName): Promise<string[] | undefined> {
  const rows = await session.query<{ columns: string }>(
    `SELECT (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [relation.schema, relation.name],
  )
  const found = rows[0]
  return found === undefined ? undefined : (JSON.parse(found.columns ?? '[]') as string[])
}

async function readOriginal(
  session: DatabaseSession,
  manifest: Manifest,
  recovered: RelationName,
  columns: readonly string[],
  recoveredColumns: readonly string[],
): Promise<OriginalState> {
  const shared = manifest.content.columns
    .map((column) => column.name)
    .filter((name) => columns.includes(name) && recoveredColumns.includes(name))
  const key = keyOf(manifest, shared)
  const counts = await session.query<{ missing: string; differing: string; extra: string }>(
    key.length === 0
      ? countWholeRows(manifest.relation, recovered, shared)
      : countByKey(manifest.relation, recovered, shared, key),
  )
  const triggers = await session.query<{ name: string; firing: TriggerDefinition['firing'] }>(
    `SELECT t.tgname AS name, CASE t.tgenabled WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE 'origin' END AS firing
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND NOT t.tgisinternal AND t.tgenabled <> 'D' ORDER BY 1`,
    [manifest.relation.schema, manifest.relation.name],
  )
  return {
    parts: await readParts(session, manifest.relation),
    columns,
    key,
    firingTriggers: triggers,
    missingRows: Number(counts[0]?.missing),
    differingRows: Number(counts[0]?.differing),
    extraRows: Number(counts[0]?.extra),
  }
}

function keyOf(manifest: Manifest, shared: readonly string[]): readonly string[] {
  const key = manifest.definition.constraints.find((constraint) => constraint.kind === 'primary key')?.columns ?? []
  return key.every((column) => shared.includes(column)) ? key : []
}

/** A row's content as text: exact, and there for every type, with or without an equality operator. */
export function bodyOf(alias: string, columns: readonly string[]): string {
  return `ROW(${columns.map((column) => `${alias}.${quoteIdentifier(column)}`).join(', ')})::text`
}

export function joinOn(left: string, right: string, key: readonly string[]): string {
  return key.map((column) => `${left}.${quoteIdentifier(column)} = ${right}.${quoteIdentifier(column)}`).join(' AND ')
}

function countByKey(
  original: RelationName,
  recovered: RelationName,
  shared: readonly string[],
  key: readonly string[],
): string {
  const first = quoteIdentifier(key[0] ?? '')
  return `SELECT count(*) FILTER (WHERE o.${first} IS NULL)::text AS missing,
      count(*) FILTER (WHERE r.${first} IS NULL)::text AS extra,
      count(*) FILTER (WHERE o.${first} IS NOT NULL AND r.${first} IS NOT NULL
        AND ${bodyOf('o', shared)} <> ${bodyOf('r', shared)} COLLATE "C")::text AS differing
    FROM ${quoteRelation(original)} o FULL JOIN ${quoteRelation(recovered)} r ON ${joinOn('o', 'r', key)}`
}

function countWholeRows(original: RelationName, recovered: RelationName, shared: readonly string[]): string {
  const grouped = (relation: RelationName) =>
    `(SELECT ${bodyOf('t', shared)} COLLATE "C" AS body, count(*) AS copies FROM ${quoteRelation(relation)} t GROUP BY 1)`
  return `SELECT coalesce(sum(greatest(r.copies - coalesce(o.copies, 0), 0)), 0)::text AS missing,
      coalesce(sum(greatest(o.copies - coalesce(r.copies, 0), 0)), 0)::text AS extra, '0' AS differing
    FROM ${grouped(original)} o FULL JOIN ${grouped(recovered)} r USING (body)`
}

async function readParts(session: DatabaseSession, recovered: RelationName): Promise<string[]> {
  const rows = await session.query<{ part: string }>(
    `WITH t AS (SELECT c.oid, c.relnamespace FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = $2)
     SELECT 'policy ' || polname AS part FROM pg_policy, t WHERE polrelid = t.oid
     UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger, t WHERE tgrelid = t.oid AND NOT tgisinternal
     UNION ALL SELECT 'rule ' || rulename FROM pg_rewrite, t WHERE ev_class = t.oid
     UNION ALL SELECT 'constraint ' || conname FROM pg_constraint, t WHERE conrelid = t.oid
     UNION ALL SELECT 'index ' || i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid, t WHERE x.indrelid = t.oid
     UNION ALL SELECT 'statistics ' || stxname FROM pg_statistic_ext, t WHERE stxrelid = t.oid
     UNION ALL SELECT 'sequence ' || s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S', t
       WHERE d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_class'::regclass AND d.refobjid = t.oid`,
    [recovered.schema, recovered.name],
  )
  return rows.map((row) => row.part)
}

async function readExisting(session: DatabaseSession, manifest: Manifest): Promise<string[]> {
  const wanted = [...manifest.definition.parents, ...manifest.definition.incomingForeignKeys.map((key) => key.table)]
  const existing: string[] = []
  for (const relation of wanted) {
    if ((await readColumns(session, relation)) !== undefined) existing.push(quoteRelation(relation))
  }
  return existing
}
