/** Decides the SQL that brings recovered rows, or the whole recovered table, back to where they belong. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, Manifest } from '../manifest/index.ts'
import { buildFiring, buildPolicy } from './build-access.ts'
import { buildColumn, buildDefault } from './build-table.ts'
import type { CopybackSituation, OriginalState } from './copyback-situation.ts'
import { bodyOf, joinOn } from './copyback-situation.ts'
import type { ConflictPolicy } from './model.ts'
import { planRestore } from './plan.ts'

export type CopybackKind = 'replace-missing-table' | 'bring-back-rows' | 'nothing-to-do'

export interface CopybackPlan {
  readonly kind: CopybackKind
  /** From BEGIN to COMMIT; each can be executed as it stands. Empty when there is nothing to do. */
  readonly statements: readonly string[]
  /** What the reader should know before running it. */
  readonly notes: readonly string[]
}

/**
 * The copyback of a recovered table.
 *
 * `conflictPolicy` is about rows that exist in both and differ: `overwrite` (the default) sets them back, `skip` leaves
 * them as they are, `fail` refuses.
 *
 * Effects: pure
 * Throws:  `RESTORE_TARGET_EXISTS` under `fail` when rows differ
 */
export function planCopyback(
  manifest: Manifest,
  situation: CopybackSituation,
  conflictPolicy: ConflictPolicy = 'overwrite',
): CopybackPlan {
  const { original } = situation
  if (original === null) return replaceTable(manifest, situation)
  if (conflictPolicy === 'fail' && original.differingRows > 0) {
    throw new BackstopError(
      'RESTORE_TARGET_EXISTS',
      `${original.differingRows} rows of ${displayRelation(manifest.relation)} differ from the snapshot`,
    )
  }
  return bringBackRows(manifest, situation.recovered, original, conflictPolicy)
}

function replaceTable(manifest: Manifest, situation: CopybackSituation): CopybackPlan {
  const { relation, definition } = manifest
  const { recovered, recoveredParts } = situation
  const statements = ['BEGIN']
  if (recovered.name !== relation.name) {
    statements.push(`ALTER TABLE ${quoteRelation(recovered)} RENAME TO ${quoteIdentifier(relation.name)}`)
  }
  const moved = { schema: recovered.schema, name: relation.name }
  for (const { kind, recovered: from, original } of planRestore(manifest, recovered).renames) {
    if (from === original || !recoveredParts.includes(`${kind} ${from}`)) continue
    const object = quoteRelation({ schema: recovered.schema, name: from })
    statements.push(`ALTER ${kind.toUpperCase()} ${object} RENAME TO ${quoteIdentifier(original)}`)
  }
  if (recovered.schema !== relation.schema) {
    statements.push(`ALTER TABLE ${quoteRelation(moved)} SET SCHEMA ${quoteIdentifier(relation.schema)}`)
  }
  statements.push(...missingParts(manifest, recoveredParts), ...attachments(manifest, situation), 'COMMIT')
  const notes = definition.dependents.map(
    (dependent) => `${dependent} was built on the table: create it again if it is gone`,
  )
  if (definition.partitionKey !== null)
    notes.push(`the table was partitioned by ${definition.partitionKey} and comes back as one table`)
  for (const key of definition.incomingForeignKeys) {
    if (situation.existingTables.includes(quoteRelation(key.table))) continue
    notes.push(`foreign key ${key.name}: ${displayRelation(key.table)} does not exist`)
  }
  return { kind: 'replace-missing-table', statements, notes }
}

/** What could not be made under another name. */
function missingParts(manifest: Manifest, present: readonly string[]): string[] {
  const { relation, definition } = manifest
  const lacks = (part: string) => !present.includes(part)
  return [
    ...definition.policies.filter(({ name }) => lacks(`policy ${name}`)).map((policy) => buildPolicy(relation, policy)),
    ...definition.triggers
      .filter(({ name }) => lacks(`trigger ${name}`))
      .flatMap(({ name, definition: text, firing }) =>
        firing === 'origin' ? [text] : [text, buildFiring(relation, name, firing)],
      ),
    ...definition.rules.filter(({ name }) => lacks(`rule ${name}`)).map((rule) => withoutSemicolon(rule.definition)),
    ...definition.statistics
      .filter(({ name }) => lacks(`statistics ${name}`))
      .map((statistics) => withoutSemicolon(statistics.definition)),
  ]
}

/** Places in a hierarchy, and foreign keys of other tables. */
function attachments(manifest: Manifest, situation: CopybackSituation): string[] {
  const { relation, definition } = manifest
  const table = quoteRelation(relation)
  const isThere = (other: RelationName) => situation.existingTables.includes(quoteRelation(other))
  const parents = definition.parents
    .filter(isThere)
    .map((parent) =>
      definition.partitionBound === null
        ? `ALTER TABLE ${table} INHERIT ${quoteRelation(parent)}`
        : `ALTER TABLE ${quoteRelation(parent)} ATTACH PARTITION ${table} ${definition.partitionBound}`,
    )
  const keys = definition.incomingForeignKeys
    .filter((key) => isThere(key.table))
    .map((key) => {
      const other = quoteRelation(key.table)
      const name = quoteIdentifier(key.name)
      return `ALTER TABLE ${other} DROP CONSTRAINT IF EXISTS ${name}, ADD CONSTRAINT ${name} ${key.definition}`
    })
  return [...parents, ...keys]
}

function bringBackRows(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  conflictPolicy: ConflictPolicy,
): CopybackPlan {
  const table = quoteRelation(manifest.relation)
  const lost = manifest.definition.columns.filter(({ name }) => !original.columns.includes(name))
  const shared = manifest.content.columns.map(({ name }) => name).filter((name) => original.columns.includes(name))
  const work: string[] = []
  // Columns first: the rows that are inserted then have them too, and are filled with all others.
  for (const column of lost) work.push(buildAddColumn(table, column))
  if (original.missingRows > 0) work.push(buildInsert(manifest, recovered, original, shared))
  if (conflictPolicy !== 'skip' && original.differingRows > 0) {
    work.push(buildUpdate(manifest, recovered, original, shared))
  }
  work.push(...bringBackColumns(manifest, recovered, original, lost))
  const notes = notesOf(manifest, original, lost, conflictPolicy)
  if (work.length === 0) return { kind: 'nothing-to-do', statements: [], notes }
  const disable = original.firingTriggers.map(({ name }) => buildFiring(manifest.relation, name, 'disabled'))
  const enable = original.firingTriggers.map(({ name, firing }) => buildFiring(manifest.relation, name, firing))
  const statements = [
    'BEGIN',
    `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`,
    // Checks that wait for the end would stand in the way of changes to the table.
    'SET CONSTRAINTS ALL IMMEDIATE',
    ...disable,
    ...work,
    ...buildSequences(manifest, original),
    ...(lost.length > 0 ? lostParts(manifest, original) : []),
    ...enable,
    'COMMIT',
  ]
  return { kind: 'bring-back-rows', statements, notes }
}

/** Values, defaults and NOT NULL of columns that the original has lost; its rows are matched by key. */
function bringBackColumns(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  lost: readonly ColumnDefinition[],
): string[] {
  if (lost.length === 0) return []
  const stored = lost.filter(({ generated }) => generated === null)
  const fill = stored.length > 0 && original.key.length > 0 ? [buildFill(manifest, recovered, original, stored)] : []
  const defaults = stored.flatMap((column) => buildDefault(manifest.relation, column, (sequence) => sequence))
  const table = quoteRelation(manifest.relation)
  const notNull = stored
    .filter(({ isNotNull }) => isNotNull && original.extraRows === 0)
    .map(({ name }) => `ALTER TABLE ${table} ${setNotNull(manifest, name)}`)
  return [...fill, ...notNull, ...defaults.map(({ sql }) => sql)]
}

/** From PostgreSQL 18 on, NOT NULL is a constraint with a name. */
function setNotNull(manifest: Manifest, column: string): string {
  const named = manifest.definition.constraints.find(
    ({ kind, columns }) => kind === 'not null' && columns[0] === column,
  )
  if (named === undefined) return `ALTER COLUMN ${quoteIdentifier(column)} SET NOT NULL`
  return `ADD CONSTRAINT ${quoteIdentifier(named.name)} ${named.definition}`
}

/** Constraints, indexes and the like that went with the columns. */
function lostParts(manifest: Manifest, original: OriginalState): string[] {
  const { relation, definition } = manifest
  const lacks = (part: string) => !original.parts.includes(part)
  const constraints = definition.constraints
    .filter(({ kind, name }) => kind !== 'not null' && lacks(`constraint ${name}`))
    .map(
      ({ name, definition: text }) =>
        `ALTER TABLE ${quoteRelation(relation)} ADD CONSTRAINT ${quoteIdentifier(name)} ${text}`,
    )
  const indexes = definition.indexes
    .filter(({ name, constraint, isValid }) => constraint === null && isValid && lacks(`index ${name}`))
    .map(({ definition: text }) => text)
  return [...constraints, ...indexes, ...missingParts(manifest, original.parts)]
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

function buildAddColumn(table: string, column: ColumnDefinition): string {
  return `ALTER TABLE ${table} ADD COLUMN ${buildColumn({ ...column, isNotNull: false }, undefined)}`
}

function buildFill(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  lost: readonly ColumnDefinition[],
): string {
  const changes = lost.map(({ name }) => `${quoteIdentifier(name)} = r.${quoteIdentifier(name)}`).join(', ')
  return (
    `UPDATE ${quoteRelation(manifest.relation)} o SET ${changes} FROM ${quoteRelation(recovered)} r ` +
    `WHERE ${joinOn('o', 'r', original.key)}`
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

function withoutSemicolon(sql: string): string {
  return sql.trim().replace(/;$/, '')
}
