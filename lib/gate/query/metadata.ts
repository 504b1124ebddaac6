/** The safety metadata of an answer. Pure. */
import type { Impact, ResolvedTarget } from '../assess/index.ts'
import type { Classification } from '../classify/index.ts'
import { decide, describeFacts, type Verdict } from '../policy/index.ts'
import type { SafetyMetadata } from './model.ts'
import type { GateParts } from './parts.ts'
import type { Judged, Submission } from './submission.ts'

type Identity = Pick<GateParts, 'environment' | 'clusterId'>

/** What a statement is about: what it destroys first, then what it writes, then what it reads. */
function primaryTarget(targets: readonly ResolvedTarget[]): ResolvedTarget | undefined {
  return targets.find((one) => one.isDestructive) ?? targets.find((one) => one.access !== 'read') ?? targets[0]
}

function writtenTarget(classification: Classification) {
  if (!classification.ok) return undefined
  const { targets } = classification
  return (targets.find((one) => one.isDestructive) ?? targets.find((one) => one.access !== 'read') ?? targets[0])
    ?.object
}

/**
 * A count of the rows that a predicate reaches answers a question about their values: while a statement that looks at protected
 * ones waits for a decision, its approver is told the figures and the agent is not.
 */
function hidesFigures({ assessment, verdict }: Judged): boolean {
  return assessment.readsProtected && verdict.action !== 'execute'
}

const FIGURES = /^(impact|measured)-over-threshold$/

/** For a statement that the database has been asked about. */
export function describeJudged(judged: Judged, identity: Identity, isRecoveryReady: boolean): SafetyMetadata {
  const { assessment, facts, plan, statement, verdict } = judged
  const target = primaryTarget(assessment.targets)
  const written = writtenTarget(statement)
  const isHidden = hidesFigures(judged)
  const impact: Impact = isHidden ? { method: 'unknown' } : assessment.impact
  const findings = isHidden ? assessment.findings.filter(({ code }) => !FIGURES.test(code)) : assessment.findings
  return {
    risk_level: facts.level,
    operation: statement.operation,
    table: target?.relation.name ?? written?.name ?? null,
    schema: target?.relation.schema ?? written?.schema ?? null,
    table_recoverable: statement.recoverability === 'tables',
    recovery_required: plan.required,
    recovery_possible: plan.required ? isRecoveryReady : statement.recoverability !== 'impossible',
    policy_action: verdict.action,
    policy_reason: verdict.reason,
    requires_approval: verdict.action === 'approve',
    parse_error_present: false,
    estimated_affected_rows: impact.rowCount ?? null,
    estimated_table_rows: impact.tableRowCount ?? null,
    affected_percent: impact.percent ?? null,
    impact_method: impact.method,
    protected_table: assessment.protectedTable ?? null,
    protected_columns: assessment.protectedColumns,
    findings: findings.map(({ code, level, message }) => ({ code, level, message })),
    environment: identity.environment,
    cluster_id: identity.clusterId,
  }
}

/** For text that was judged without the database: it could not be read, or something stopped it before. */
export function describeText(submission: Submission, identity: Identity, stopped?: Verdict): SafetyMetadata {
  const { classification } = submission
  const verdict = stopped ?? decide(describeFacts(classification), submission.active)
  const target = writtenTarget(classification)
  return {
    risk_level: classification.level,
    operation: classification.ok ? classification.operation : classification.code,
    table: target?.name ?? null,
    schema: target?.schema ?? null,
    table_recoverable: classification.ok && classification.recoverability === 'tables',
    recovery_required: false,
    recovery_possible: classification.ok && classification.recoverability !== 'impossible',
    policy_action: verdict.action,
    policy_reason: verdict.reason,
    requires_approval: verdict.action === 'approve',
    parse_error_present: !classification.ok && classification.code !== 'EMPTY',
    ...(classification.ok ? {} : { parse_error: classification.message }),
    estimated_affected_rows: null,
    estimated_table_rows: null,
    affected_percent: null,
    impact_method: 'not-applicable',
    protected_table: null,
    protected_columns: [],
    findings: classification.ok
      ? classification.findings.map(({ code, level, message }) => ({ code, level, message }))
      : [],
    environment: identity.environment,
    cluster_id: identity.clusterId,
  }
}
