/** SQL that brings lost and changed rows back into the original table, which stands. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { buildFiring } from './build-access.ts'
import { fillColumns, finishColumns, lostParts, reshape } from './copyback-columns.ts'
import { isSettable } from './copyback-count.ts'
import { bodyOf, joinOn, numbered, PLACE, rowsOf, SAME_COPY, SAME_PLACE } from './copyback-match.ts'
import { notesOfRows } from './copyback-notes.ts'
import type { OriginalState } from './copyback-situation.ts'
import { remakeKey } from './copyback-table.ts'
import type { ConflictPolicy, CopybackPlan } from './model.ts'
import { asideOf } from './names.ts'

export function bringBackRows(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  conflictPolicy: ConflictPolicy,
): CopybackPlan {
  const { name, before, work, after, notes } = planRows(manifest, recovered, original, conflictPolicy)
  const aside = planAside(manifest, recovered, original)
  const rest = aside.length === 0 ? {} : { aside }
  if (name.length + work.length === 0) return { kind: 'nothing-to-do', statements: [], notes, ...rest }
  const lock = `LOCK TABLE ${quoteRelation(manifest.relation)} IN ACCESS EXCLUSIVE MODE`
  const statements = ['BEGIN', ...name, lock, CHECK_AT_ONCE, ...before, ...work, ...after, 'COMMIT']
  return { kind: 'bring-back-rows', statements, notes, ...rest }
}

/** Checks that wait for the end would stand in the way of changes to the table. */
export const CHECK_AT_ONCE = 'SET CONSTRAINTS ALL IMMEDIATE'

/** A policy would hide rows from the statements; this makes the server refuse instead. */
const EVERY_ROW = 'SET LOCAL row_security TO off'

export interface RowSteps {
  /** The table back to its name and schema, where it lost them. Comes before the lock. */
  readonly name: readonly string[]
  /** Triggers and rules off. */
  readonly before: readonly string[]
  /** Empty: there is nothing to do. */
  readonly work: readonly string[]
  /** Sequences, what went with lost columns, triggers and rules on again. */
  readonly after: readonly string[]
  readonly notes: readonly string[]
}

/** The steps for one table, without the transaction and the lock around them. */
export function planRows(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  conflictPolicy: ConflictPolicy,
): RowSteps {
  const { relation, definition, content } = manifest
  const lost = definition.columns.filter(({ name }) => !original.columns.includes(name))
  const isReplacing = conflictPolicy !== 'skip'
  const hasChanges = original.differingRows > 0 || original.alteredColumns.length > 0
  const rows = { manifest, recovered, original, columns: content.columns.map(({ name }) => name) }
  const work = [
    ...reshape(manifest, original, lost),
    ...(isReplacing && original.movedRows > 0 ? [buildMove(rows)] : []),
    ...fillColumns(manifest, recovered, original, lost),
    ...(original.missingRows > 0 ? [buildInsert(rows)] : []),
    ...(isReplacing && hasChanges ? buildUpdate(rows) : []),
    ...finishColumns(manifest, original, lost),
  ]
  const { off, on } = silence(relation, original)
  const isPart = lost.length > 0 || (original.isRecreated && original.extraRows === 0)
  const parts = isPart ? lostParts(manifest, original) : []
  const keys = isPart ? original.lostKeys.map(({ table, name, definition: text }) => remakeKey(table, name, text)) : []
  return {
    name: backToName(manifest, original),
    before: work.length === 0 ? [] : [EVERY_ROW, ...off],
    work,
    after: [...buildSequences(manifest, original), ...parts, ...keys, ...(work.length === 0 ? [] : on)],
    notes: notesOfRows(manifest, original, lost, conflictPolicy),
  }
}

/** Rows that come back must not set anything off. */
function silence(relation: RelationName, { firingTriggers, firingRules }: OriginalState) {
  const rule = (name: string, firing: 'disabled' | 'replica' | 'always' | 'origin') =>
    buildFiring(relation, name, firing, 'RULE')
  return {
    off: [
      ...firingTriggers.map(({ name }) => buildFiring(relation, name, 'disabled')),
      ...firingRules.map(({ name }) => rule(name, 'disabled')),
    ],
    on: [
      ...firingTriggers.map(({ name, firing }) => buildFiring(relation, name, firing)),
      ...firingRules.map(({ name, firing }) => rule(name, firing)),
    ],
  }
}

function backToName({ relation }: Manifest, { relation: now }: OriginalState): string[] {
  const statements: string[] = []
  if (now.name !== relation.name) {
    statements.push(`ALTER TABLE ${quoteRelation(now)} RENAME TO ${quoteIdentifier(relation.name)}`)
  }
  if (now.schema !== relation.schema) {
    const moved = quoteRelation({ schema: now.schema, name: relation.name })
    statements.push(`ALTER TABLE ${moved} SET SCHEMA ${quoteIdentifier(relation.schema)}`)
  }
  return statements
}

interface RowSources {
  readonly manifest: Manifest
  readonly recovered: RelationName
  readonly original: OriginalState
  /** Every stored column of the snapshot: all of them are there by now. */
  readonly columns: readonly string[]
}

function buildInsert({ manifest, recovered, original, columns }: RowSources): string {
  const list = columns.map(quoteIdentifier).join(', ')
  const insert = `INSERT INTO ${quoteRelation(manifest.relation)} (${list}) OVERRIDING SYSTEM VALUE`
  const values = columns.map((name) => `r.${quoteIdentifier(name)}`).join(', ')
  const there = rowsOf(manifest.relation, original.isPartitioned)
  const source = quoteRelation(recovered)
  if (original.key.length > 0) {
    const match = joinOn('o', 'r', original.key)
    return `${insert} SELECT ${values} FROM ${source} r WHERE NOT EXISTS (SELECT FROM ${there} o WHERE ${match})`
  }
  const filled = columns.filter((name) => !original.compared.includes(name))
  return (
    `${insert} SELECT ${values} FROM ${numbered(source, original.compared, filled)} r ` +
    `LEFT JOIN (SELECT ${bodyOf('t', original.compared)} COLLATE "C" AS body, count(*) AS copies FROM ${there} t GROUP BY 1) o ` +
    `ON o.body = r."backstop body" WHERE r."backstop copy" > coalesce(o.copies, 0)`
  )
}

/** Nothing where only columns are left that cannot be set; they are no part of the comparison either. */
function buildUpdate({ manifest, recovered, original, columns }: RowSources): string[] {
  const settable = columns.filter((name) => !original.key.includes(name) && isSettable(manifest, [name]))
  if (settable.length === 0 || original.key.length === 0) return []
  const changes = settable.map((name) => `${quoteIdentifier(name)} = r.${quoteIdentifier(name)}`).join(', ')
  const differs = `${bodyOf('o', settable)} COLLATE "C" <> ${bodyOf('r', settable)}`
  return [
    `UPDATE ${rowsOf(manifest.relation, original.isPartitioned)} o SET ${changes} FROM ${quoteRelation(recovered)} r ` +
      `WHERE ${joinOn('o', 'r', original.key)} AND ${differs}`,
  ]
}

/** Rows that the snapshot does not know and rows that are missing are the same rows: their keys go back. */
function buildMove({ manifest, recovered, original }: RowSources): string {
  const { key, compared, isPartitioned } = original
  const others = compared.filter((column) => !key.includes(column))
  const target = rowsOf(manifest.relation, isPartitioned)
  const source = quoteRelation(recovered)
  const match = joinOn('o', 'r', key)
  const places = PLACE.replaceAll('s.', 'o.')
  const extra = `(SELECT o.*, ${places} FROM ${target} o WHERE NOT EXISTS (SELECT FROM ${source} r WHERE ${match}))`
  const missing = `(SELECT r.* FROM ${source} r WHERE NOT EXISTS (SELECT FROM ${target} o WHERE ${match}))`
  const values = key.map((name) => `r.${quoteIdentifier(name)}`).join(', ')
  const pairs =
    `SELECT o."backstop table", o."backstop place", ${values} FROM ${numbered(extra, others, key)} o ` +
    `JOIN ${numbered(missing, others, key)} r ON ${SAME_COPY}`
  const changes = key.map((name) => `${quoteIdentifier(name)} = p.${quoteIdentifier(name)}`).join(', ')
  return `UPDATE ${target} t SET ${changes} FROM (${pairs}) p WHERE ${SAME_PLACE}`
}

/**
 * Rows that the snapshot does not know, moved into a table of their own. Only for who is sure that they are wrong: they may
 * be newer than the snapshot. Empty where a foreign key would take rows of another table along.
 */
function planAside(manifest: Manifest, recovered: RelationName, original: OriginalState): string[] {
  const { key, compared, isPartitioned, extraRows, movedRows, cascades } = original
  const isShaped = original.renamedColumns.length === 0 && original.relation.name === manifest.relation.name
  if (extraRows === 0 || movedRows > 0 || cascades.length > 0 || !isShaped) return []
  const table = quoteRelation(manifest.relation)
  const target = rowsOf(manifest.relation, isPartitioned)
  const source = quoteRelation(recovered)
  const aside = quoteRelation(asideOf(recovered))
  const gone =
    key.length > 0
      ? `DELETE FROM ${target} o WHERE NOT EXISTS (SELECT FROM ${source} r WHERE ${joinOn('o', 'r', key)}) RETURNING o.*`
      : `DELETE FROM ${target} t USING (SELECT o."backstop table", o."backstop place" FROM ${numbered(target, compared, [], PLACE)} o ` +
        `LEFT JOIN (SELECT ${bodyOf('t', compared)} COLLATE "C" AS body, count(*) AS copies FROM ${source} t GROUP BY 1) r ` +
        `ON r.body = o."backstop body" WHERE o."backstop copy" > coalesce(r.copies, 0)) p WHERE ${SAME_PLACE} RETURNING t.*`
  const { off, on } = silence(manifest.relation, original)
  return [
    'BEGIN',
    `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`,
    CHECK_AT_ONCE,
    EVERY_ROW,
    ...off,
    `CREATE TABLE ${aside} AS SELECT * FROM ${table} WITH NO DATA`,
    `WITH gone AS (${gone}) INSERT INTO ${aside} SELECT * FROM gone`,
    ...on,
    'COMMIT',
  ]
}

/** New rows must not get the numbers of those that came back. */
function buildSequences(manifest: Manifest, original: OriginalState): string[] {
  if (original.missingRows === 0) return []
  return manifest.definition.columns.flatMap(({ name, sequence, isSerial, identity }) => {
    const owned = original.sequences.find(({ column }) => column === name)
    if (owned === undefined || sequence === null || !(isSerial || identity !== null) || !sequence.isCalled) return []
    if (sequence.increment.startsWith('-')) return []
    const object = quoteRelation(owned.sequence)
    return [`SELECT setval(${quoteLiteral(object)}, greatest(last_value, ${sequence.lastValue})) FROM ${object}`]
  })
}
