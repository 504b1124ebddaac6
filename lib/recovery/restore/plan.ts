/** Decides every statement that makes a table again from its manifest. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { buildComments, buildOwnership, buildRowSecurity, buildTriggers } from './build-access.ts'
import { buildConstraints, buildIndexes, buildIndexMarks } from './build-constraint.ts'
import { buildColumnAttributes, buildCreateTable, buildDefault, sequenceRenames } from './build-table.ts'
import type { NotRebuilt, RestorePlan, StandIns } from './model.ts'

const ALONE: StandIns = new Map()

/**
 * The plan of a restore into a new table; `standIns` are the tables that are restored with it.
 *
 * Effects: pure
 * Throws:  `RESTORE_OVER_SOURCE`
 */
export function planRestore(manifest: Manifest, target: RelationName, standIns: StandIns = ALONE): RestorePlan {
  if (target.schema === manifest.relation.schema && target.name === manifest.relation.name) {
    throw new BackstopError('RESTORE_OVER_SOURCE', `refusing to restore over ${displayRelation(target)} itself`)
  }
  const { definition } = manifest
  const constraints = buildConstraints(target, manifest, standIns)
  const indexes = buildIndexes(target, definition.indexes)
  const triggers = buildTriggers(target, definition.triggers)
  return {
    target,
    createTable: buildCreateTable(target, definition),
    statements: [
      ...definition.columns.flatMap((column) => buildColumnAttributes(target, column)),
      ...definition.columns.flatMap((column) => buildDefault(target, column)),
      ...constraints.statements,
      ...indexes.statements,
      ...buildIndexMarks(target, manifest),
      ...triggers.statements,
      ...buildRowSecurity(target, definition),
      ...buildComments(target, definition),
      ...buildOwnership(target, definition).map((statement) => ({ ...statement, stage: 'access' as const })),
    ],
    notRebuilt: [
      ...constraints.notRebuilt,
      ...indexes.notRebuilt,
      ...triggers.notRebuilt,
      ...leftOut(manifest, standIns),
    ],
    renames: [...constraints.renames, ...indexes.renames, ...sequenceRenames(target, definition)],
  }
}

/** What a stand-alone table of another name cannot have; the copyback plan brings it back where it can. */
function leftOut(manifest: Manifest, standIns: StandIns): NotRebuilt[] {
  const { definition } = manifest
  const left: NotRebuilt[] = []
  for (const rule of definition.rules)
    left.push({ subject: `rule ${rule.name}`, reason: 'rules name the original table' })
  for (const { name } of definition.statistics) {
    left.push({ subject: `statistics ${name}`, reason: 'extended statistics belong to the original table' })
  }
  for (const column of definition.columns) {
    if (column.sequence === null || column.isSerial || column.identity !== null) continue
    left.push({
      subject: `sequence ${column.sequence.name}`,
      reason: 'it is owned by a column and not its plain default',
    })
  }
  for (const parent of definition.parents) {
    left.push({ subject: `parent ${displayRelation(parent)}`, reason: 'the recovered table stands alone' })
  }
  if (definition.partitionKey !== null) {
    left.push({
      subject: 'partitioning',
      reason: `the rows are in one table; it was partitioned by ${definition.partitionKey}`,
    })
  }
  if (definition.tablespace !== null) {
    left.push({ subject: `tablespace ${definition.tablespace}`, reason: 'the default one is used' })
  }
  for (const key of definition.incomingForeignKeys) {
    if (standIns.has(quoteRelation(key.table))) continue
    left.push({
      subject: `foreign key ${key.name} of ${displayRelation(key.table)}`,
      reason: 'it refers to the original table; the copyback plan adds it again',
    })
  }
  for (const dependent of definition.dependents)
    left.push({ subject: dependent, reason: 'it reads the original table' })
  return left
}
