/** SQL that brings lost and changed rows back into the original table, which stands. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, Manifest } from '../manifest/index.ts'
import { buildFiring } from './build-access.ts'
import { bringBackColumns, buildAddColumn, lostParts } from './copyback-columns.ts'
import type { OriginalState } from './copyback-situation.ts'
import { bodyOf, joinOn } from './copyback-situation.ts'
import type { ConflictPolicy, CopybackPlan } from './model.ts'

export function bringBackRows(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  conflictPolicy: ConflictPolicy,
): CopybackPlan {
  const { before, work, after, notes } = planRows(manifest, recovered, original, conflictPolicy)
  if (work.length === 0) return { kind: 'nothing-to-do', statements: [], notes }
  const lock = `LOCK TABLE ${quoteRelation(manifest.relation)} IN ACCESS EXCLUSIVE MODE`
  const statements = ['BEGIN', lock, CHECK_AT_ONCE, ...before, ...work, ...after, 'COMMIT']
  return { kind: 'bring-back-rows', statements, notes }
}

/** Checks that wait for the end would stand in the way of changes to the table. */
export const CHECK_AT_ONCE = 'SET CONSTRAINTS ALL IMMEDIATE'

export interface RowSteps {
  /** Triggers off. */
  readonly before: readonly string[]
  /** Empty: there is nothing to do. */
  readonly work: readonly string[]
  /** Sequences, what went with lost columns, triggers on again. */
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
  const table = quoteRelation(manifest.relation)
  const lost = manifest.definition.columns.filter(({ name }) => !original.columns.includes(name))
  const shared = manifest.content.columns.map(({ name }) => name).filter((name) => original.columns.includes(name))
  const work: string[] = []
  // Columns first: the rows that are inserted then have them too, and are filled with all others.
  for (const column of lost) work.push(buildAddColumn(table, column))
  if (original.missingRows > 0) work.push(buildInsert(manifest, recovered, original, shared))
  const isSettable = settable(manifest, shared, original.key).length > 0
  if (conflictPolicy !== 'skip' && original.differingRows > 0 && isSettable) {
    work.push(buildUpdate(manifest, recovered, original, shared))
  }
  work.push(...bringBackColumns(manifest, recovered, original, lost))
  const notes = notesOf(manifest, original, lost, conflictPolicy)
  const disable = original.firingTriggers.map(({ name }) => buildFiring(manifest.relation, name, 'disabled'))
  const enable = original.firingTriggers.map(({ name, firing }) => buildFiring(manifest.relation, name, firing))
  const parts = lost.length > 0 ? lostParts(manifest, original) : []
  return { before: disable, work, after: [...buildSequences(manifest, original), ...parts, ...enable], notes }
}

function buildInsert(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  shared: readonly string[],
): string {
  const table = quoteRelation(manifest.relation)
  const list = shared.map(quoteIdentifier).join(', ')
  const insert = `INSERT INTO ${table} (${list}) OVERRIDING SYSTEM VALUE`
  const values = shared.map((name) => `r.${quoteIdentifier(name)}`).join(', ')
  if (original.key.length > 0) {
    const match = joinOn('o', 'r', original.key)
    return `${insert} SELECT ${values} FROM ${quoteRelation(recovered)} r WHERE NOT EXISTS (SELECT FROM ${table} o WHERE ${match})`
  }
  const body = `${bodyOf('s', shared)} COLLATE "C"`
  return (
    `${insert} SELECT ${values} FROM (SELECT s.*, ${body} AS "backstop body", ` +
    `row_number() OVER (PARTITION BY ${body}) AS "backstop copy" FROM ${quoteRelation(recovered)} s) r ` +
    `LEFT JOIN (SELECT ${bodyOf('t', shared)} COLLATE "C" AS body, count(*) AS copies FROM ${table} t GROUP BY 1) o ` +
    `ON o.body = r."backstop body" WHERE r."backstop copy" > coalesce(o.copies, 0)`
  )
}

/** Identity columns that only take their own values cannot be set; they are not part of the comparison either. */
function settable(manifest: Manifest, names: readonly string[], key: readonly string[]): string[] {
  const always = new Set(
    manifest.definition.columns.filter(({ identity }) => identity === 'always').map(({ name }) => name),
  )
  return names.filter((name) => !key.includes(name) && !always.has(name))
}

function buildUpdate(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  shared: readonly string[],
): string {
  const columns = settable(manifest, shared, original.key)
  const changes = columns.map((name) => `${quoteIdentifier(name)} = r.${quoteIdentifier(name)}`).join(', ')
  const differs = `${bodyOf('o', columns)} COLLATE "C" <> ${bodyOf('r', columns)}`
  return (
    `UPDATE ${quoteRelation(manifest.relation)} o SET ${changes} FROM ${quoteRelation(recovered)} r ` +
    `WHERE ${joinOn('o', 'r', original.key)} AND ${differs}`
  )
}

/** New rows must not get the numbers of those that came back. */
function buildSequences(manifest: Manifest, original: OriginalState): string[] {
  if (original.missingRows === 0) return []
  return manifest.definition.columns.flatMap(({ name, sequence, isSerial, identity }) => {
    if (sequence === null || !(isSerial || identity !== null) || !sequence.isCalled) return []
    if (!original.columns.includes(name) || sequence.increment.startsWith('-')) return []
    const object = quoteRelation(sequence)
    return [`SELECT setval(${quoteLiteral(object)}, greatest(last_value, ${sequence.lastValue})) FROM ${object}`]
  })
}

function notesOf(
  manifest: Manifest,
  original: OriginalState,
  lost: readonly ColumnDefinition[],
  conflictPolicy: ConflictPolicy,
): string[] {
  const notes: string[] = []
  const { missingRows, differingRows, extraRows, key } = original
  if (missingRows > 0) notes.push(`${missingRows} rows are missing and are inserted`)
  if (differingRows > 0 && conflictPolicy === 'skip') {
    notes.push(`${differingRows} rows differ and are left as they are; --conflict-policy overwrite sets them back`)
  } else if (differingRows > 0) {
    notes.push(`${differingRows} rows differ and are set back to the snapshot of ${manifest.capturedAt}`)
  }
  if (extraRows > 0)
    notes.push(`${extraRows} rows are newer than the snapshot, or changed in a table without a key; they are left`)
  if (lost.length > 0) notes.push(`columns are added again: ${lost.map(({ name }) => name).join(', ')}`)
  if (lost.length > 0 && key.length === 0)
    notes.push('the table has no key: the values of these columns cannot be matched to rows')
  return notes
}
