/** Decides every statement that makes a table again from its manifest. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { Manifest, TableDefinition } from '../manifest/index.ts'
import { buildComments, buildOwnership, buildRowSecurity, buildTriggers } from './build-access.ts'
import { buildConstraints, buildIndexes, buildIndexMarks } from './build-constraint.ts'
import { buildPartitions, buildPartitionTree } from './build-partitions.ts'
import { buildColumnAttributes, buildCreateTable, buildDefault, sequenceRenames } from './build-table.ts'
import type { NotRebuilt, RestorePlan, RestoreStatement, StandIns } from './model.ts'

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
  const partitions = buildPartitions(manifest, target, standIns)
  const isTree = definition.partitionKey !== null
  return {
    target,
    createTable: isTree ? buildPartitionTree(manifest, target) : buildCreateTable(target, definition),
    statements: [
      ...definition.columns.flatMap((column) => buildColumnAttributes(target, column)),
      ...definition.columns.flatMap((column) => buildDefault(target, column)),
      ...constraints.statements,
      ...indexes.statements,
      ...buildIndexMarks(target, manifest),
      ...triggers.statements,
      ...buildRowSecurity(target, definition),
      ...buildComments(target, definition),
      ...buildRowType(target, definition),
      ...partitions.statements,
      ...buildOwnership(target, definition).map((statement) => ({ ...statement, stage: 'access' as const })),
    ],
    notRebuilt: [
      ...constraints.notRebuilt,
      ...indexes.notRebuilt,
      ...triggers.notRebuilt,
      ...partitions.notRebuilt,
      ...leftOut(manifest, standIns),
    ],
    renames: [
      ...constraints.renames,
      ...indexes.renames,
      ...sequenceRenames(target, definition),
      ...partitions.renames,
    ],
  }
}

/** A typed table. */
function buildRowType(target: RelationName, { ofType }: TableDefinition): RestoreStatement[] {
  if (ofType === undefined || ofType === null) return []
  return [{ subject: `row type ${ofType}`, sql: `ALTER TABLE ${quoteRelation(target)} OF ${ofType}` }]
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
  for (const { name } of definition.publications ?? []) {
    left.push({ subject: `publication ${name}`, reason: 'it publishes the original table' })
  }
  for (const { provider, column } of definition.securityLabels ?? []) {
    const of = column === null ? 'the table' : `column ${column}`
    left.push({ subject: `security label of ${of}`, reason: `only ${provider} can say what it means now` })
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
