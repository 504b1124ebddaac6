/** INSERT, UPDATE, DELETE, MERGE and SELECT: the statements that read and write rows. */
import type {
  DeleteStmt,
  InsertStmt,
  MergeStmt,
  Node,
  RangeVar,
  ReturningClause,
  SelectStmt,
  UpdateStmt,
} from 'libpg-query'
import { noteWritten } from '../columns.ts'
import { addColumn, addTarget, noteLoss, raise, type Walk } from '../facts.ts'
import { isIntoTable } from '../returns-rows.ts'
import { innerScope, type Range, rangeOfTable } from '../scope.ts'
import { noteSelectivity } from '../tautology.ts'
import { type Fields, fieldsOf, relationOf } from '../tree/node.ts'
import { visit, visitAll, visitChildren } from '../walk.ts'
import { entry, type Judgement } from './entry.ts'
import { visitFrom, visitFromItem } from './from-items.ts'
import { enterWith, visitSelect } from './select.ts'

export const DATA_STATEMENTS = {
  SelectStmt: entry<SelectStmt>('SAFE', 'SELECT', 'reads', {
    targets: 'every table read; `create` for INTO, `lock` for FOR UPDATE and FOR SHARE',
    details: 'INTO and FOR UPDATE/SHARE raise to HIGH; writes in WITH and functions count with their own level',
    judge: (select) => (isIntoTable(select) ? { operation: 'SELECT INTO' } : undefined),
    walk: visitSelect,
  }),
  InsertStmt: entry<InsertStmt>('LOW', 'INSERT', 'adds rows', {
    targets: 'the table as `insert`; also as `update` for ON CONFLICT DO UPDATE',
    walk: visitInsert,
  }),
  UpdateStmt: entry<UpdateStmt>('LOW', 'UPDATE', 'changes rows', {
    recoverability: 'tables',
    targets: 'the table as `update`, the others as `read`',
    details: 'CRITICAL without a WHERE that selects rows',
    walk: visitUpdate,
  }),
  DeleteStmt: entry<DeleteStmt>('LOW', 'DELETE', 'removes rows', {
    recoverability: 'tables',
    targets: 'the table as `delete`, the others as `read`',
    details: 'CRITICAL without a WHERE that selects rows',
    walk: visitDelete,
  }),
  MergeStmt: entry<MergeStmt>('HIGH', 'MERGE', 'adds, changes or removes rows in one pass', {
    targets: 'the table as `merge` and as `insert`, `update`, `delete` by its actions',
    details:
      'CRITICAL when an unconditional action reaches every row: WHEN NOT MATCHED BY SOURCE or an ON that is always true',
    judge: (): Judgement | undefined => undefined,
    walk: visitMerge,
  }),
}

function columnNames(targets: readonly Node[] | undefined): string[] {
  return (targets ?? []).map((node) => fieldsOf(node, 'ResTarget')?.name).filter((name) => name !== undefined)
}

/** The values of SET or INSERT targets; the names are written, not read. */
function visitValues(targets: readonly Node[] | undefined, walk: Walk): void {
  for (const node of targets ?? []) {
    const target = fieldsOf(node, 'ResTarget')
    visitAll(target?.indirection, walk)
    visit(target?.val, walk)
  }
}

function visitReturning(clause: ReturningClause | undefined, table: RangeVar, walk: Walk): void {
  if (clause === undefined) return
  const options = (clause.options ?? []).map((node) => fieldsOf(node, 'ReturningOption')?.value)
  const names = ['old', 'new', ...options].filter((name) => name !== undefined)
  const rows = names.map((alias): Range => ({ alias, relations: [relationOf(table)], isQualifiedOnly: true }))
  visitAll(clause.exprs, { ...walk, scope: { ...walk.scope, ranges: [...walk.scope.ranges, ...rows] } })
}

function enter(statement: { readonly withClause?: InsertStmt['withClause'] }, outer: Walk): Walk {
  return enterWith(statement.withClause, { ...outer, scope: innerScope(outer.scope) })
}

function visitInsert(insert: InsertStmt, outer: Walk): void {
  const walk = enter(insert, outer)
  const table = insert.relation ?? {}
  addTarget(walk, relationOf(table), 'insert')
  noteWritten(columnNames(insert.cols), table, walk)
  visitValues(insert.cols, walk)
  visit(insert.selectStmt, walk)
  const own: Walk = { ...walk, scope: innerScope(walk.scope) }
  own.scope.ranges.push(rangeOfTable(table))
  const conflict = insert.onConflictClause
  if (conflict !== undefined) {
    own.scope.ranges.push({ alias: 'excluded', relations: [], isQualifiedOnly: true })
    visitConflict(conflict, table, own)
  }
  visitReturning(insert.returningClause, table, own)
}

function visitConflict(conflict: NonNullable<InsertStmt['onConflictClause']>, table: RangeVar, walk: Walk): void {
  if (conflict.infer !== undefined) {
    for (const node of conflict.infer.indexElems ?? []) {
      const name = fieldsOf(node, 'IndexElem')?.name
      if (name !== undefined) addColumn(walk, name, 'read', relationOf(table))
    }
    visitChildren('InferClause', conflict.infer as Fields, walk)
  }
  if (conflict.action !== 'ONCONFLICT_UPDATE') return
  addTarget(walk, relationOf(table), 'update', { scope: 'filtered', isDestructive: true })
  noteLoss(walk, 'tables')
  raise(walk, 'upsert', 'LOW', 'ON CONFLICT DO UPDATE changes rows that exist')
  noteWritten(columnNames(conflict.targetList), table, walk)
  visitValues(conflict.targetList, walk)
  visit(conflict.whereClause, walk)
}

function visitUpdate(update: UpdateStmt, outer: Walk): void {
  const walk = enter(update, outer)
  const table = update.relation ?? {}
  walk.scope.ranges.push(rangeOfTable(table))
  const scope = noteSelectivity('UPDATE', update.whereClause, update.fromClause, walk)
  addTarget(walk, relationOf(table), 'update', { scope, isDestructive: true, isOnly: table.inh !== true })
  visitFrom(update.fromClause, walk)
  noteWritten(columnNames(update.targetList), table, walk)
  visitValues(update.targetList, walk)
  visit(update.whereClause, walk)
  visitReturning(update.returningClause, table, walk)
}

function visitDelete(deletion: DeleteStmt, outer: Walk): void {
  const walk = enter(deletion, outer)
  const table = deletion.relation ?? {}
  walk.scope.ranges.push(rangeOfTable(table))
  const scope = noteSelectivity('DELETE', deletion.whereClause, deletion.usingClause, walk)
  addTarget(walk, relationOf(table), 'delete', { scope, isDestructive: true, isOnly: table.inh !== true })
  visitFrom(deletion.usingClause, walk)
  visit(deletion.whereClause, walk)
  visitReturning(deletion.returningClause, table, walk)
}

function visitMerge(merge: MergeStmt, outer: Walk): void {
  const walk = enter(merge, outer)
  const table = merge.relation ?? {}
  addTarget(walk, relationOf(table), 'merge', { isOnly: table.inh !== true })
  walk.scope.ranges.push(rangeOfTable(table))
  visitFromItem(merge.sourceRelation, walk)
  const isJoinAlwaysTrue =
    noteSelectivity('MERGE', merge.joinCondition, undefined, { ...walk, fate: 'planned' }) === 'all'
  visit(merge.joinCondition, walk)
  for (const node of merge.mergeWhenClauses ?? []) {
    const clause = fieldsOf(node, 'MergeWhenClause')
    if (clause !== undefined) visitWhen(clause, table, isJoinAlwaysTrue, walk)
  }
  visitReturning(merge.returningClause, table, walk)
}

type When = NonNullable<ReturnType<typeof fieldsOf<'MergeWhenClause'>>>

function visitWhen(clause: When, table: RangeVar, isJoinAlwaysTrue: boolean, walk: Walk): void {
  visit(clause.condition, walk)
  visitValues(clause.targetList, walk)
  visitAll(clause.values, walk)
  const isOnly = table.inh !== true
  if (clause.commandType === 'CMD_INSERT') {
    addTarget(walk, relationOf(table), 'insert', { isOnly })
    noteWritten(columnNames(clause.targetList), table, walk)
  } else if (clause.commandType === 'CMD_UPDATE' || clause.commandType === 'CMD_DELETE') {
    const isUpdate = clause.commandType === 'CMD_UPDATE'
    if (isUpdate) noteWritten(columnNames(clause.targetList), table, walk)
    const reachesRest = clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' || isJoinAlwaysTrue
    const isAll = reachesRest && clause.condition === undefined
    addTarget(walk, relationOf(table), isUpdate ? 'update' : 'delete', {
      scope: isAll ? 'all' : 'filtered',
      isDestructive: true,
      isOnly,
    })
    noteLoss(walk, 'tables')
    if (isAll) raise(walk, 'unscoped-merge', 'CRITICAL', 'MERGE reaches rows that no condition selects')
  }
}
