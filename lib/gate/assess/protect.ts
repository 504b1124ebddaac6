/** Protected tables and columns that a statement touches, directly or through views and functions. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { ColumnUse, Finding, WrittenName } from '../classify/index.ts'
import type { Policy } from '../policy/index.ts'
import { isProtectedColumn, isProtectedTable, protectedColumnsOf } from '../policy/index.ts'
import type { ResolvedTarget } from './model.ts'

export interface Protection {
  readonly protectedTable?: string
  readonly protectedColumns: readonly string[]
  readonly findings: readonly Finding[]
}

export interface Touched {
  readonly targets: readonly ResolvedTarget[]
  readonly columns: readonly ColumnUse[]
  /** Relations that views and functions lead to, and the columns that their definitions name. */
  readonly indirect: readonly RelationName[]
  readonly indirectColumns: readonly ColumnUse[]
}

function isWrite(target: ResolvedTarget): boolean {
  return target.access !== 'read' && target.access !== 'lock'
}

function couldMean(written: WrittenName | undefined, relation: RelationName): boolean {
  if (written === undefined) return true
  return written.name === relation.name && (written.schema === undefined || written.schema === relation.schema)
}

/** The protected columns of one relation that the uses name; a star names all of them. */
function columnsTouched(policy: Policy, relation: RelationName, uses: readonly ColumnUse[]): readonly string[] {
  const touched = uses.filter(
    (use) => couldMean(use.relation, relation) && isProtectedColumn(policy, relation, use.name),
  )
  const names = touched.flatMap((use) => (use.name === '*' ? protectedColumnsOf(policy, relation) : [use.name]))
  return [...new Set(names)].map((name) => `${relation.name}.${name}`)
}

/** Taking all of a table away or in without naming columns touches every column of it. */
function takesWhole(target: ResolvedTarget): boolean {
  return ['truncate', 'drop', 'copy-in'].includes(target.access) || (target.access === 'delete' && target.isDestructive)
}

/**
 * Judge the touched relations against the policy.
 *
 * A write to something protected is IMPACT_CRITICAL, a read of it HIGH. A view or function whose definition names a protected
 * column counts as touching it, whichever of its columns is asked for.
 */
export function judgeProtection(policy: Policy, touched: Touched): Protection {
  const direct = touched.targets.map((target) => target.relation)
  const table = [...direct, ...touched.indirect].find((relation) => isProtectedTable(policy, relation))
  const columns = new Set([
    ...touched.targets.flatMap((target) =>
      columnsTouched(policy, target.relation, takesWhole(target) ? [{ name: '*', access: 'write' }] : touched.columns),
    ),
    ...touched.indirect.flatMap((relation) => columnsTouched(policy, relation, touched.indirectColumns)),
  ])
  const isProtectedWrite = touched.targets.some(isWrite)
  const level = isProtectedWrite ? 'IMPACT_CRITICAL' : 'HIGH'
  const findings: Finding[] = []
  if (table !== undefined) {
    findings.push({ code: 'protected-table', level, message: `${displayRelation(table)} is protected by policy.` })
  }
  if (columns.size > 0) {
    findings.push({
      code: 'protected-column',
      level,
      message: `Protected by policy: ${[...columns].sort().join(', ')}.`,
    })
  }
  return {
    ...(table === undefined ? {} : { protectedTable: displayRelation(table) }),
    protectedColumns: [...columns].sort(),
    findings,
  }
}
