/** Errors of a capture that name a column. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation } from '#lib/kernel/index.ts'

export function unsupportedColumn(relation: RelationName, column: string, type: string): BackstopError {
  return new BackstopError(
    'COLUMN_TYPE_UNSUPPORTED',
    `column "${column}" of ${displayRelation(relation)} has type ${type}, which cannot be captured exactly`,
    { details: { column, type } },
  )
}
