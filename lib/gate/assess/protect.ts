/** Protected tables and columns that a statement touches, directly or through views and functions. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { ColumnUse, Finding, WrittenName } from '../classify/index.ts'
import type { Policy } from '../policy/index.ts'
import { isProtectedColumn, isProtectedTable, protectedColumnsOf } from '../policy/index.ts'
import type { Kin, Kinship } from './kin.ts'
import type { ResolvedTarget } from './model.ts'

export interface Protection {
  readonly protectedTable?: string
  readonly protectedColumns: readonly string[]
  readonly findings: readonly Finding[]
  /** True when a protected column is looked at, so that a count of rows would tell of its values. */
  readonly readsProtected: boolean
}

export interface Touched {
  readonly targets: readonly ResolvedTarget[]
  readonly columns: readonly ColumnUse[]
  /** Relations that views and functions lead to, and the columns that their definitions name. */
  readonly indirect: readonly (RelationName & { readonly oid: number })[]
  readonly indirectColumns: readonly ColumnUse[]
  /** Protection of a table holds for its partitions and children, and the other way round. */
  readonly kin: Kin
}

/** True when there is anything to protect. */
export function hasProtection(policy: Policy): boolean {
  return policy.protected_tables.length > 0 || Object.keys(policy.protected_columns).length > 0
}

/** Samples of every column's values that ANALYZE keeps. */
const SAMPLES = ['most_common_vals', 'histogram_bounds', 'most_common_elems', 'range_bounds_histogram']
const SAMPLES_OF_VALUES: Policy['protected_columns'] = {
  'pg_catalog.pg_stats': SAMPLES,
  'pg_catalog.pg_stats_ext': SAMPLES,
  'pg_catalog.pg_stats_ext_exprs': SAMPLES,
  'pg_catalog.pg_statistic': ['stavalues1', 'stavalues2', 'stavalues3', 'stavalues4', 'stavalues5'],
  'pg_catalog.pg_statistic_ext_data': ['stxdmcv', 'stxdexpr'],
}

function withSamples(policy: Policy): Policy {
  if (!hasProtection(policy)) return policy
  return { ...policy, protected_columns: { ...policy.protected_columns, ...SAMPLES_OF_VALUES } }
}

function isWrite(target: ResolvedTarget): boolean {
  return target.access !== 'read' && target.access !== 'lock'
}

function couldMean(written: WrittenName | undefined, relation: RelationName): boolean {
  if (written === undefined) return true
  return written.name === relation.name && (written.schema === undefined || written.schema === relation.schema)
}

/** The protected columns of one relation that the uses name; a star names all of them, a generated column its sources. */
function columnsTouched(
  policy: Policy,
  relation: RelationName,
  uses: readonly ColumnUse[],
  kinship: Kinship | undefined,
): readonly string[] {
  const meant = uses
    .filter((use) => couldMean(use.relation, relation))
    .flatMap(({ name }) => [name, ...(kinship?.sources.get(name) ?? [])])
  const names = [relation, ...(kinship?.relations ?? [])].flatMap((member) =>
    meant
      .filter((name) => isProtectedColumn(policy, member, name))
      .flatMap((name) => (name === '*' ? protectedColumnsOf(policy, member) : [name])),
  )
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
  const { kin } = touched
  const all = [...touched.targets.map((target) => ({ ...target.relation, oid: target.oid })), ...touched.indirect]
  const table = all.find((one) =>
    [one, ...(kin.get(one.oid)?.relations ?? [])].some((relation) => isProtectedTable(policy, relation)),
  )
  const directly = withSamples(policy)
  const columnsOf = (uses: readonly ColumnUse[]) => [
    ...touched.targets.flatMap((target) => columnsTouched(directly, target.relation, uses, kin.get(target.oid))),
  ]
  const indirect = touched.indirect.flatMap((one) =>
    columnsTouched(policy, one, touched.indirectColumns, kin.get(one.oid)),
  )
  const taken = touched.targets
    .filter(takesWhole)
    .flatMap((target) =>
      columnsTouched(directly, target.relation, [{ name: '*', access: 'write' }], kin.get(target.oid)),
    )
  const columns = new Set([...columnsOf(touched.columns), ...taken, ...indirect])
  const read = columnsOf(touched.columns.filter((use) => use.access === 'read'))
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
    readsProtected: table !== undefined || read.length > 0 || indirect.length > 0,
  }
}
