/** Compares a restored table with its snapshot: whole content, indexes, constraints; changes nothing. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { buildDigestQuery, FIXED_SETTINGS } from '../snapshot/index.ts'
import type { CountedRows } from './copyback-count.ts'
import { countRows } from './copyback-count.ts'
import { bodyOf, joinOn, rowsOf } from './copyback-match.ts'
import type { StandingTable } from './copyback-standing.ts'
import { isThere, readStanding } from './copyback-standing.ts'
import type { LoadPorts } from './load.ts'
import { loadReplica, REPLICA } from './merge.ts'
import type { RestoreValidation, RowDifference, RowDifferences } from './model.ts'
import { derivedName } from './names.ts'

const MOST_SHOWN = 5

/** `isBrief`: whether, but not in which rows. Throws SNAPSHOT_CORRUPT when the content differs and the stored rows, which would tell how, cannot be trusted. */
export async function validateRestore(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
  ports: LoadPorts,
  isBrief = false,
): Promise<RestoreValidation> {
  await session.execute(`BEGIN ISOLATION LEVEL REPEATABLE READ; ${FIXED_SETTINGS}`)
  try {
    const isThereNow = await isThere(session, target)
    return isThereNow ? await compare(session, manifest, target, isBrief ? undefined : ports) : absent(manifest, target)
  } finally {
    await session.execute('ROLLBACK')
  }
}

async function compare(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
  ports: LoadPorts | undefined,
): Promise<RestoreValidation> {
  const standing = await readStanding(session, manifest, target)
  const { columns } = manifest.content
  const missingColumns = columns.map(({ name }) => name).filter((name) => !standing.columns.includes(name))
  const content = await readContent(session, manifest, standing, missingColumns.length === 0)
  const isEqual = content.digest === manifest.content.digest && standing.alteredColumns.length === 0
  const expected = expectedParts(manifest, target)
  const isMissing = (part: string) => !standing.parts.includes(part)
  const differences =
    isEqual || ports === undefined ? undefined : await findDifferences(session, manifest, standing, ports)
  return {
    snapshotId: manifest.snapshotId,
    source: manifest.relation,
    target,
    isThere: true,
    expectedRows: manifest.content.rowCount,
    actualRows: content.rowCount,
    isContentEqual: isEqual && content.rowCount === manifest.content.rowCount,
    comparedRows: content.rowCount,
    missingColumns,
    alteredColumns: standing.alteredColumns,
    expectedIndexes: expected.indexes,
    actualIndexes: namesOf(standing, 'index'),
    missingIndexes: expected.indexes.filter((name) => isMissing(`index ${name}`)),
    expectedConstraints: expected.constraints,
    actualConstraints: namesOf(standing, 'constraint'),
    missingConstraints: expected.constraints.filter((name) => isMissing(`constraint ${name}`)),
    invalidConstraints: await readInvalid(session, target),
    ...(differences === undefined ? {} : { differences }),
  }
}

function absent(manifest: Manifest, target: RelationName): RestoreValidation {
  const { indexes, constraints } = expectedParts(manifest, target)
  return {
    snapshotId: manifest.snapshotId,
    source: manifest.relation,
    target,
    isThere: false,
    expectedRows: manifest.content.rowCount,
    actualRows: 0,
    isContentEqual: false,
    comparedRows: 0,
    missingColumns: [],
    alteredColumns: [],
    expectedIndexes: indexes,
    actualIndexes: [],
    missingIndexes: indexes,
    expectedConstraints: constraints,
    actualConstraints: [],
    missingConstraints: constraints,
    invalidConstraints: [],
  }
}

/** On a table of another name, names that are unique in a schema are derived from both. */
function expectedParts({ relation, definition }: Manifest, target: RelationName) {
  const isOriginal = displayRelation(relation) === displayRelation(target)
  const named = (name: string) => (isOriginal ? name : derivedName(target, name))
  const isIndexed = (kind: string) => kind === 'primary key' || kind === 'unique' || kind === 'exclusion'
  return {
    indexes: definition.indexes.filter(({ isValid }) => isValid).map(({ name }) => named(name)),
    constraints: definition.constraints.map(({ name, kind }) => (isIndexed(kind) ? named(name) : name)),
  }
}

function namesOf({ parts }: StandingTable, kind: string): string[] {
  return parts.filter((part) => part.startsWith(`${kind} `)).map((part) => part.slice(kind.length + 1))
}

async function readContent(
  session: DatabaseSession,
  manifest: Manifest,
  { relation, isPartitioned }: StandingTable,
  isWhole: boolean,
): Promise<{ readonly digest: string; readonly rowCount: number }> {
  if (!isWhole) {
    const rows = await session.query<{ count: string }>(
      `SELECT count(*)::text AS count FROM ${rowsOf(relation, isPartitioned)}`,
    )
    return { digest: '', rowCount: Number(rows[0]?.count) }
  }
  const query = buildDigestQuery(relation, manifest.content.columns, isPartitioned)
  const rows = await session.query<{ digest: string; row_count: string }>(query)
  return { digest: rows[0]?.digest ?? '', rowCount: Number(rows[0]?.row_count) }
}

async function readInvalid(session: DatabaseSession, target: RelationName): Promise<readonly string[]> {
  const rows = await session.query<{ name: string }>(
    `SELECT k.conname AS name FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND NOT k.convalidated ORDER BY 1`,
    [target.schema, target.name],
  )
  return rows.map(({ name }) => name)
}

/** The snapshot's rows are read again, into a temporary table: only where something differs is that worth it. */
async function findDifferences(
  session: DatabaseSession,
  manifest: Manifest,
  standing: StandingTable,
  ports: LoadPorts,
): Promise<RowDifferences> {
  await loadReplica(session, manifest, ports, () => undefined)
  const counted = await countRows(session, manifest, REPLICA, standing)
  const { missingRows, differingRows, extraRows, key } = counted
  const shown = key.length === 0 ? [] : await showDifferences(session, standing, counted)
  return { missingRows, differingRows, extraRows, shown }
}

/** Keys and names of columns; never the values of others. */
async function showDifferences(
  session: DatabaseSession,
  standing: StandingTable,
  { key, compared }: CountedRows,
): Promise<readonly RowDifference[]> {
  const first = quoteIdentifier(key[0] ?? '')
  const keys = (alias: string) =>
    `json_build_array(${key.map((name) => `${alias}.${quoteIdentifier(name)}::text`).join(', ')})`
  const differing = compared
    .filter((name) => !key.includes(name))
    .map((name, index) => `CASE WHEN ${bodyOf('o', [name])} COLLATE "C" <> ${bodyOf('r', [name])} THEN ${index} END`)
  const columns =
    differing.length === 0 ? `'{}'::integer[]` : `array_remove(ARRAY[${differing.join(', ')}]::integer[], NULL)`
  const rows = await session.query<{ found: string }>(
    `SELECT json_build_object('key', CASE WHEN r.${first} IS NULL THEN ${keys('o')} ELSE ${keys('r')} END,
        'kind', CASE WHEN o.${first} IS NULL THEN 'missing' WHEN r.${first} IS NULL THEN 'unknown' ELSE 'differs' END,
        'columns', CASE WHEN o.${first} IS NULL OR r.${first} IS NULL THEN '[]'::json ELSE to_json(${columns}) END)::text AS found
       FROM ${rowsOf(standing.relation, standing.isPartitioned)} o FULL JOIN ${quoteRelation(REPLICA)} r ON ${joinOn('o', 'r', key)}
      WHERE o.${first} IS NULL OR r.${first} IS NULL OR ${bodyOf('o', compared)} COLLATE "C" <> ${bodyOf('r', compared)} LIMIT ${MOST_SHOWN}`,
  )
  const others = compared.filter((name) => !key.includes(name))
  return rows.map(({ found }) => {
    const row = JSON.parse(found) as { key: string[]; kind: RowDifference['kind']; columns: number[] }
    const named = key.map((name, index) => [name, row.key[index] ?? ''] as const)
    return { key: Object.fromEntries(named), kind: row.kind, columns: row.columns.map((index) => others[index] ?? '') }
  })
}
