/** From a classified statement to what it means in this database. Only raises the level. */
import type { RiskLevel } from '#lib/kernel/index.ts'
import { displayRelation, maxRisk } from '#lib/kernel/index.ts'
import type { DatabaseSession, SqlParameter } from '#lib/ports/index.ts'
import type { Access, ClassifiedStatement, Finding, Target } from '../classify/index.ts'
import type { Policy } from '../policy/index.ts'
import type { FunctionRow, RelationRow } from './catalog-rows.ts'
import { type Closure, followStatement } from './closure.ts'
import { followWrites } from './follow-writes.ts'
import { measureImpact, passesThreshold } from './impact.ts'
import { findKin } from './kin.ts'
import { findLosingTables } from './losing-tables.ts'
import { lossRoots } from './loss-roots.ts'
import type { Assessment, Impact, ResolvedFunction, ResolvedTarget } from './model.ts'
import { hasProtection, judgeProtection } from './protect.ts'
import { sequenceFindings } from './sequences.ts'

const VOLATILITY = { i: 'immutable', s: 'stable', v: 'volatile' } as const
const RELATION_KINDS = new Set(['table', 'view', 'materialized view', 'foreign table', 'index', 'sequence'])
const NOT_APPLICABLE: Impact = { method: 'not-applicable' }

function resolveTarget(target: Target, row: RelationRow): ResolvedTarget {
  return {
    oid: row.oid,
    relation: { schema: row.schema, name: row.name },
    relationKind: row.kind,
    access: target.access,
    scope: target.scope,
    isDestructive: target.isDestructive,
  }
}

function resolveFunction(row: FunctionRow): ResolvedFunction {
  return { oid: row.oid, identity: row.identity, volatility: VOLATILITY[row.volatility], bodySha256: row.bodySha256 }
}

/** Each target beside its row; targets that are not relations are not in the catalog of relations. */
function pairTargets(statement: ClassifiedStatement, closure: Closure): readonly (readonly [Target, RelationRow])[] {
  return closure.direct.flatMap((row) => {
    const target = statement.targets[row.written]
    return target === undefined || row.oid === 0 || !RELATION_KINDS.has(target.objectKind)
      ? []
      : [[target, row] as const]
  })
}

/** Relations that must exist for the statement to run at all, and do not. */
function missingRelations(statement: ClassifiedStatement, closure: Closure): readonly string[] {
  return closure.direct
    .filter((row) => row.oid === 0)
    .flatMap((row) => {
      const target = statement.targets[row.written]
      if (target === undefined || target.access === 'create' || !RELATION_KINDS.has(target.objectKind)) return []
      const { schema, name } = target.object
      return [schema === undefined ? name : `${schema}.${name}`]
    })
}

/** Every target that is more than read, with how. */
function writesOf(targets: readonly ResolvedTarget[]): ReadonlyMap<number, readonly Access[]> {
  const writes = new Map<number, Access[]>()
  for (const { oid, access } of targets) {
    if (access !== 'read') writes.set(oid, [...(writes.get(oid) ?? []), access])
  }
  return writes
}

function impactFindings(impact: Impact, policy: Policy): readonly Finding[] {
  if (!passesThreshold(impact, policy)) return []
  const share = impact.percent === undefined ? '' : ` (${impact.percent} % of the table)`
  const atLeast = impact.method === 'bounded' ? 'at least ' : ''
  const message = `It reaches ${atLeast}${impact.rowCount} rows${share}, by method ${impact.method}.`
  return [{ code: 'impact-over-threshold', level: 'IMPACT_CRITICAL', message }]
}

/** Top-level UPDATE and DELETE are measured, by text or by plan; other writes are counted by the row guard. */
function measuredTarget(statement: ClassifiedStatement, pairs: readonly (readonly [Target, RelationRow])[]) {
  if (!/^(EXPLAIN ANALYZE )?(UPDATE|DELETE)$/.test(statement.operation)) return undefined
  return pairs.find(([target]) => target.access === 'update' || target.access === 'delete')
}

/**
 * Resolve, follow and measure within the session's open READ ONLY transaction.
 *
 * Invariants: `level` ≥ the classification's
 * Throws:     StatementError when a look-up is refused (a schema that the role may not use), DATABASE_UNREACHABLE
 */
export async function assess(
  session: DatabaseSession,
  sql: string,
  parameters: readonly SqlParameter[],
  statement: ClassifiedStatement,
  policy: Policy,
): Promise<Assessment> {
  const closure = await followStatement(session, sql, statement)
  const pairs = pairTargets(statement, closure)
  const targets = pairs.map(([target, row]) => resolveTarget(target, row))
  const reached = [...targets, ...closure.indirect].map((one) => one.oid)
  const protection = judgeProtection(policy, {
    targets,
    columns: statement.columns,
    indirect: closure.indirect,
    indirectColumns: closure.indirectColumns,
    kin: hasProtection(policy) ? await findKin(session, reached) : new Map(),
  })
  const measured = policy.impact_analysis_enabled ? measuredTarget(statement, pairs) : undefined
  const impact =
    measured === undefined
      ? NOT_APPLICABLE
      : await measure(session, sql, parameters, statement, policy, closure, measured)
  const roots = [...lossRoots(pairs), ...closure.indirectLosses]
  const setOff = await followWrites(session, writesOf(targets))
  const findings = [
    ...statement.findings,
    ...closure.findings,
    ...setOff.findings,
    ...sequenceFindings(sql, statement),
    ...protection.findings,
    ...impactFindings(impact, policy),
  ]
  return {
    level: findings.reduce<RiskLevel>((level, finding) => maxRisk(level, finding.level), statement.level),
    findings,
    targets,
    functions: [...closure.functions, ...setOff.functions].map(resolveFunction),
    definitions: [...new Set([...closure.definitions, ...setOff.definitions])],
    unresolved: missingRelations(statement, closure),
    unknownFunctions: closure.unknownFunctions,
    isBuiltInOnly: closure.isBuiltInOnly,
    impact,
    losingTables: roots.length === 0 ? [] : await findLosingTables(session, roots),
    ...(protection.protectedTable === undefined ? {} : { protectedTable: protection.protectedTable }),
    protectedColumns: protection.protectedColumns,
    readsProtected: protection.readsProtected,
  }
}

function measure(
  session: DatabaseSession,
  sql: string,
  parameters: readonly SqlParameter[],
  statement: ClassifiedStatement,
  policy: Policy,
  closure: Closure,
  [target, row]: readonly [Target, RelationRow],
): Promise<Impact> {
  return measureImpact(session, {
    sql,
    parameters,
    shape: statement.impact,
    target: resolveTarget(target, row),
    estimatedTableRows: Math.max(row.estimatedRows, 0),
    mayCount: closure.findings.every((finding) => finding.level === 'SAFE'),
    policy,
  })
}

/** `oid:schema.name`, and `view:oid:digest` for what views, policies and rules make of it, for an approval's binding. */
export function bindRelations(assessment: Assessment): readonly string[] {
  const relations = assessment.targets.map((target) => `${target.oid}:${displayRelation(target.relation)}`)
  return [...new Set([...relations, ...assessment.definitions])].sort()
}

/** `oid:identity:digest`, for an approval's binding. */
export function bindFunctions(assessment: Assessment): readonly string[] {
  return [...new Set(assessment.functions.map((one) => `${one.oid}:${one.identity}:${one.bodySha256}`))].sort()
}
