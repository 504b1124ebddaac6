/** Counts what the original table lacks, what it holds otherwise, and what the snapshot does not know. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { bodyOf, joinOn, numbered, rowsOf, SAME_COPY } from './copyback-match.ts'
import type { StandingTable } from './copyback-standing.ts'

export interface CountedRows {
  /** Columns of the primary key that both tables have, under the snapshot's names; empty: rows are matched as wholes. */
  readonly key: readonly string[]
  /** Columns that both have and of the same type: what rows are compared by. */
  readonly compared: readonly string[]
  /** Rows of the recovered table that the original lacks. */
  readonly missingRows: number
  /** Rows of the same key and other content; 0 without a key. */
  readonly differingRows: number
  /** Rows of the original that the snapshot does not know. */
  readonly extraRows: number
  /** Of these, rows that are those that are missing, under another key: all of them, or none. */
  readonly movedRows: number
}

/** Reads both tables whole. */
export async function countRows(
  session: DatabaseSession,
  manifest: Manifest,
  recovered: RelationName,
  standing: StandingTable,
): Promise<CountedRows> {
  const compared = manifest.content.columns
    .map(({ name }) => name)
    .filter((name) => standing.columns.includes(name) && !standing.alteredColumns.includes(name))
  const key = keyOf(manifest, compared)
  const original = readUnderOldNames(standing, compared)
  const source = quoteRelation(recovered)
  const rows = await session.query<{ missing: string; differing: string; extra: string }>(
    key.length === 0 ? countWholeRows(original, source, compared) : countByKey(original, source, compared, key),
  )
  const counts = {
    missingRows: Number(rows[0]?.missing),
    differingRows: Number(rows[0]?.differing),
    extraRows: Number(rows[0]?.extra),
  }
  const others = compared.filter((column) => !key.includes(column))
  const canMove = key.length > 0 && others.length > 0 && isSettable(manifest, key)
  const isLikely = canMove && counts.missingRows > 0 && counts.missingRows === counts.extraRows
  const movedRows = isLikely ? await countMoved(session, { original, source, key, others }) : 0
  // Rows that only partly fit may well be new ones that look alike: their keys are not touched.
  return { key, compared, ...counts, movedRows: movedRows === counts.missingRows ? movedRows : 0 }
}

/** Identity columns that only take their own values cannot be set. */
export function isSettable(manifest: Manifest, columns: readonly string[]): boolean {
  return manifest.definition.columns.every(({ name, identity }) => identity !== 'always' || !columns.includes(name))
}

function keyOf(manifest: Manifest, compared: readonly string[]): readonly string[] {
  const key = manifest.definition.constraints.find((constraint) => constraint.kind === 'primary key')?.columns ?? []
  return key.every((column) => compared.includes(column)) ? key : []
}

/** A sub-select in which columns that were renamed have their old names. */
function readUnderOldNames(standing: StandingTable, columns: readonly string[]): string {
  const list = columns.map((name) => {
    const now = standing.renamedColumns.find(({ to }) => to === name)?.from ?? name
    return `${quoteIdentifier(now)} AS ${quoteIdentifier(name)}`
  })
  return `(SELECT ${list.join(', ')} FROM ${rowsOf(standing.relation, standing.isPartitioned)})`
}

function countByKey(original: string, recovered: string, columns: readonly string[], key: readonly string[]): string {
  const first = quoteIdentifier(key[0] ?? '')
  return `SELECT count(*) FILTER (WHERE o.${first} IS NULL)::text AS missing,
      count(*) FILTER (WHERE r.${first} IS NULL)::text AS extra,
      count(*) FILTER (WHERE o.${first} IS NOT NULL AND r.${first} IS NOT NULL
        AND ${bodyOf('o', columns)} <> ${bodyOf('r', columns)} COLLATE "C")::text AS differing
    FROM ${original} o FULL JOIN ${recovered} r ON ${joinOn('o', 'r', key)}`
}

function countWholeRows(original: string, recovered: string, columns: readonly string[]): string {
  const grouped = (source: string) =>
    `(SELECT ${bodyOf('t', columns)} COLLATE "C" AS body, count(*) AS copies FROM ${source} t GROUP BY 1)`
  return `SELECT coalesce(sum(greatest(r.copies - coalesce(o.copies, 0), 0)), 0)::text AS missing,
      coalesce(sum(greatest(o.copies - coalesce(r.copies, 0), 0)), 0)::text AS extra, '0' AS differing
    FROM ${grouped(original)} o FULL JOIN ${grouped(recovered)} r USING (body)`
}

interface MoveSources {
  readonly original: string
  readonly source: string
  readonly key: readonly string[]
  readonly others: readonly string[]
}

async function countMoved(session: DatabaseSession, { original, source, key, others }: MoveSources): Promise<number> {
  const extra = `(SELECT o.* FROM ${original} o WHERE NOT EXISTS (SELECT FROM ${source} r WHERE ${joinOn('o', 'r', key)}))`
  const missing = `(SELECT r.* FROM ${source} r WHERE NOT EXISTS (SELECT FROM ${original} o WHERE ${joinOn('o', 'r', key)}))`
  const rows = await session.query<{ moved: string }>(
    `SELECT count(*)::text AS moved FROM ${numbered(extra, others, key)} o JOIN ${numbered(missing, others, key)} r ON ${SAME_COPY}`,
  )
  return Number(rows[0]?.moved)
}
