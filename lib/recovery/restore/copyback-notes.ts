/** What the reader should know before running the way back of a table that stands. */
import { displayRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, Manifest } from '../manifest/index.ts'
import type { OriginalState } from './copyback-situation.ts'
import { nameParts } from './copyback-table.ts'
import type { ConflictPolicy } from './model.ts'

export function notesOfRows(
  manifest: Manifest,
  original: OriginalState,
  lost: readonly ColumnDefinition[],
  conflictPolicy: ConflictPolicy,
): string[] {
  return [
    ...shapeNotes(manifest, original, lost),
    ...rowNotes(manifest, original, conflictPolicy),
    ...partNotes(manifest, original, lost),
  ]
}

function shapeNotes(manifest: Manifest, original: OriginalState, lost: readonly ColumnDefinition[]): string[] {
  const { relation, renamedColumns, alteredColumns, demandingColumns } = original
  const notes: string[] = []
  if (displayRelation(relation) !== displayRelation(manifest.relation))
    notes.push(`the table lives on as ${displayRelation(relation)} and gets its name back`)
  for (const { from, to } of renamedColumns) notes.push(`column ${from} is ${to} under another name, and gets it back`)
  if (alteredColumns.length > 0)
    notes.push(`columns get their type back, and their values from the snapshot: ${alteredColumns.join(', ')}`)
  if (lost.length > 0) notes.push(`columns are added again: ${lost.map(({ name }) => name).join(', ')}`)
  if (lost.length > 0 && original.key.length === 0 && !original.isEmpty)
    notes.push('without the key, the values of these columns are matched by all that is left of each row')
  if (demandingColumns.length > 0)
    notes.push(
      `the snapshot has no value for columns that need one: ${demandingColumns.join(', ')}; give them a default first`,
    )
  return notes
}

function rowNotes(manifest: Manifest, original: OriginalState, conflictPolicy: ConflictPolicy): string[] {
  const { missingRows, differingRows, extraRows, movedRows, cascades } = original
  const notes: string[] = []
  const isMoving = movedRows > 0 && conflictPolicy !== 'skip'
  if (isMoving) notes.push(`${movedRows} rows have another key and nothing else: their keys are set back`)
  else if (missingRows > 0) notes.push(`${missingRows} rows are missing and are inserted`)
  if (differingRows > 0 && conflictPolicy === 'skip') {
    notes.push(`${differingRows} rows differ and are left as they are; --conflict-policy overwrite sets them back`)
  } else if (differingRows > 0) {
    notes.push(`${differingRows} rows differ and are set back to the snapshot of ${manifest.capturedAt}`)
  }
  if (extraRows === 0 || isMoving) return notes
  notes.push(`${extraRows} rows are newer than the snapshot, or changed in a table without a key; they are left`)
  if (cascades.length > 0) notes.push(`they cannot be set aside without rows of other tables: ${cascades.join(', ')}`)
  return notes
}

/** A part that is gone may have been given up on purpose: that is for the reader to say. */
function partNotes(manifest: Manifest, original: OriginalState, lost: readonly ColumnDefinition[]): string[] {
  if (lost.length > 0 || (original.isRecreated && original.extraRows === 0)) return []
  const gone = nameParts(manifest).filter((part) => !original.parts.includes(part))
  const keys = original.lostKeys.map(({ name, table }) => `foreign key ${name} of ${displayRelation(table)}`)
  return [...gone, ...keys].map((part) => `${part} was there at the snapshot and is not now; it is left so`)
}
