/** SQL that brings columns back which the original table has lost. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, Manifest } from '../manifest/index.ts'
import { buildColumn, buildDefault } from './build-table.ts'
import type { OriginalState } from './copyback-situation.ts'
import { joinOn } from './copyback-situation.ts'
import { missingParts } from './copyback-table.ts'

export function buildAddColumn(table: string, column: ColumnDefinition): string {
  return `ALTER TABLE ${table} ADD COLUMN ${buildColumn({ ...column, isNotNull: false }, undefined)}`
}

/** Values, defaults and NOT NULL of columns that the original has lost; its rows are matched by key. */
export function bringBackColumns(
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
export function lostParts(manifest: Manifest, original: OriginalState): string[] {
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
