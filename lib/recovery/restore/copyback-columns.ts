/** SQL that brings columns back which the original table has lost, or that got another name or type. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, Manifest } from '../manifest/index.ts'
import { buildColumnComment, buildColumnGrants } from './build-access.ts'
import { buildColumn, buildColumnAttributes, buildDefault } from './build-table.ts'
import { joinOn, numbered, PLACE, rowsOf, SAME_COPY, SAME_PLACE } from './copyback-match.ts'
import type { OriginalState } from './copyback-situation.ts'
import { missingParts } from './copyback-table.ts'

/** Names and types as they were, and the lost columns, still empty. */
export function reshape(manifest: Manifest, original: OriginalState, lost: readonly ColumnDefinition[]): string[] {
  const table = `ALTER TABLE ${quoteRelation(manifest.relation)}`
  const renames = original.renamedColumns.map(
    ({ from, to }) => `${table} RENAME COLUMN ${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`,
  )
  const retyped = manifest.definition.columns
    .filter(({ name }) => original.alteredColumns.includes(name))
    .flatMap((column) => buildRetype(table, column))
  const added = lost.map((column) => `${table} ADD COLUMN ${buildColumn({ ...column, isNotNull: false }, undefined)}`)
  return [...renames, ...retyped, ...added]
}

/** By way of text, which every type has; the default would be in the way. */
function buildRetype(table: string, column: ColumnDefinition): string[] {
  const name = quoteIdentifier(column.name)
  const collation = column.collation === null ? '' : ` COLLATE ${quoteRelation(column.collation)}`
  const retype = `${table} ALTER COLUMN ${name} TYPE ${column.type}${collation} USING ${name}::text::${column.type}`
  if (column.expression === null || column.generated !== null) return [retype]
  return [
    `${table} ALTER COLUMN ${name} DROP DEFAULT`,
    retype,
    `${table} ALTER COLUMN ${name} SET DEFAULT ${column.expression}`,
  ]
}

/** Values of lost columns for the rows that are there: matched by key, else by all that is left of them. */
export function fillColumns(
  manifest: Manifest,
  recovered: RelationName,
  original: OriginalState,
  lost: readonly ColumnDefinition[],
): string[] {
  const { key, compared, isPartitioned, alteredColumns } = original
  const lostStored = lost.filter(({ generated }) => generated === null).map(({ name }) => name)
  // With a key the update of rows that differ sets them; without one they are the part of a row that cannot be compared.
  const stored = key.length > 0 ? lostStored : [...lostStored, ...alteredColumns]
  if (stored.length === 0 || original.isEmpty) return []
  const target = rowsOf(manifest.relation, isPartitioned)
  const set = (alias: string) =>
    stored.map((name) => `${quoteIdentifier(name)} = ${alias}.${quoteIdentifier(name)}`).join(', ')
  if (key.length > 0) {
    return [`UPDATE ${target} o SET ${set('r')} FROM ${quoteRelation(recovered)} r WHERE ${joinOn('o', 'r', key)}`]
  }
  const values = stored.map((name) => `r.${quoteIdentifier(name)}`).join(', ')
  const pairs =
    `SELECT o."backstop table", o."backstop place", ${values} FROM ${numbered(target, compared, [], PLACE)} o ` +
    `JOIN ${numbered(quoteRelation(recovered), compared, stored)} r ON ${SAME_COPY}`
  return [`UPDATE ${target} t SET ${set('p')} FROM (${pairs}) p WHERE ${SAME_PLACE}`]
}

/** NOT NULL, defaults, sequences, attributes, comments and grants of the columns that came back. */
export function finishColumns(
  manifest: Manifest,
  original: OriginalState,
  lost: readonly ColumnDefinition[],
): string[] {
  const stored = lost.filter(({ generated }) => generated === null)
  const table = quoteRelation(manifest.relation)
  const isComplete = original.extraRows === original.movedRows
  const notNull = stored
    .filter(({ isNotNull }) => isNotNull && isComplete)
    .map(({ name }) => `ALTER TABLE ${table} ${setNotNull(manifest, name)}`)
  const others = lost.flatMap((column) => [
    ...buildDefault(manifest.relation, column, (sequence) => sequence),
    ...buildColumnAttributes(manifest.relation, column),
    ...buildColumnComment(manifest.relation, column),
    ...buildColumnGrants(manifest.relation, column, manifest.definition.owner),
  ])
  return [...notNull, ...others.map(({ sql }) => sql)]
}

/** From PostgreSQL 18 on, NOT NULL is a constraint with a name. */
function setNotNull(manifest: Manifest, column: string): string {
  const named = manifest.definition.constraints.find(
    ({ kind, columns }) => kind === 'not null' && columns[0] === column,
  )
  if (named === undefined) return `ALTER COLUMN ${quoteIdentifier(column)} SET NOT NULL`
  return `ADD CONSTRAINT ${quoteIdentifier(named.name)} ${named.definition}`
}

/** Constraints, indexes and the like that are not there any more, under their own names. */
export function lostParts(manifest: Manifest, original: OriginalState): string[] {
  const { relation, definition } = manifest
  const lacks = (part: string) => !original.parts.includes(part)
  const constraints = definition.constraints
    .filter(({ kind, name }) => kind !== 'not null' && lacks(`constraint ${name}`))
    .sort((left, right) => Number(left.kind === 'foreign key') - Number(right.kind === 'foreign key'))
    .map(
      ({ name, definition: text }) =>
        `ALTER TABLE ${quoteRelation(relation)} ADD CONSTRAINT ${quoteIdentifier(name)} ${text}`,
    )
  const indexes = definition.indexes
    .filter(({ name, constraint, isValid }) => constraint === null && isValid && lacks(`index ${name}`))
    .map(({ definition: text }) => text)
  return [...constraints, ...indexes, ...missingParts(manifest, original.parts)]
}
