/** A judgement for programs and for people. */
import type { Classification } from '#lib/gate/index.ts'
import { displayRelation } from '#lib/kernel/index.ts'
import type { CommandResult } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { actionCell, riskCell } from '../terminal/index.ts'
import type { Judgement } from './judge.ts'

/** pg_class.relkind in words. */
const RELATION_KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
  i: 'index',
  I: 'partitioned index',
}

function targetsOf({ classification, assessment }: Judgement) {
  if (assessment !== undefined) {
    return assessment.targets.map(({ relation, relationKind, ...rest }) => ({
      ...relation,
      ...rest,
      kind: RELATION_KINDS[relationKind] ?? relationKind,
    }))
  }
  if (!classification.ok) return []
  return classification.targets.map(({ object, objectKind, access, scope, isDestructive }) => ({
    schema: object.schema ?? null,
    name: object.name,
    access,
    scope,
    isDestructive,
    kind: objectKind,
  }))
}

function operationOf(classification: Classification): string {
  return classification.ok ? classification.operation : classification.code
}

/** `SELECT, with DELETE inside`. */
function operationText(classification: Classification): string {
  const operation = operationOf(classification)
  const inside = classification.ok ? classification.operations.filter((one) => one !== operation) : []
  return inside.length === 0 ? operation : `${operation}, with ${inside.join(', ')} inside`
}

function impactData(judgement: Judgement) {
  const impact = judgement.assessment?.impact
  if (impact === undefined) return null
  return {
    method: impact.method,
    row_count: impact.rowCount ?? null,
    table_row_count: impact.tableRowCount ?? null,
    percent: impact.percent ?? null,
  }
}

function dataOf(judgement: Judgement): object {
  const { classification, assessment, level, verdict, plan } = judgement
  return {
    risk_level: level,
    operation: operationOf(classification),
    operations: classification.ok ? classification.operations : [],
    policy_action: verdict.action,
    policy_rule: verdict.rule,
    policy_reason: verdict.reason,
    recovery_required: plan.required,
    recoverability: classification.ok ? classification.recoverability : null,
    findings: assessment?.findings ?? (classification.ok ? classification.findings : []),
    targets: targetsOf(judgement).map(({ isDestructive, ...target }) => ({ ...target, is_destructive: isDestructive })),
    functions_to_look_up:
      classification.ok && assessment === undefined ? classification.unresolvedFunctions.map(nameOf) : [],
    impact: impactData(judgement),
    losing_tables: assessment?.losingTables.map(displayRelation) ?? null,
    error: classification.ok ? null : { code: classification.code, message: classification.message },
    query_sha256: classification.textSha256,
    database: judgement.database ?? null,
  }
}

function nameOf(use: { readonly schema?: string; readonly name: string }): string {
  return use.schema === undefined ? use.name : `${use.schema}.${use.name}`
}

function impactText(judgement: Judgement): readonly (readonly [string, string])[] {
  const impact = judgement.assessment?.impact
  if (impact === undefined || impact.method === 'not-applicable') return []
  const share = impact.percent === undefined ? '' : ` (${impact.percent} % of the table)`
  return [['rows', impact.rowCount === undefined ? `unknown` : `${impact.rowCount}${share}, ${impact.method}`]]
}

function summaryBlock(judgement: Judgement): Block {
  const { classification, level, verdict, plan, assessment } = judgement
  const losing = assessment?.losingTables ?? []
  return {
    kind: 'pairs',
    pairs: [
      ['risk', riskCell(level)],
      ['operation', operationText(classification)],
      ['action', actionCell(verdict.action)],
      ['why', verdict.reason],
      ...impactText(judgement),
      ...(losing.length > 0 ? ([['losing tables', losing.map(displayRelation).join(', ')]] as const) : []),
      ['recovery point', plan.required ? 'required, captured right before it runs' : 'not required'],
      [
        'judged by',
        judgement.database === undefined
          ? 'the text alone; add --db to ask the database'
          : `the text and ${judgement.database}`,
      ],
    ],
  }
}

export function showJudgement(judgement: Judgement): CommandResult {
  const { classification } = judgement
  const findings = judgement.assessment?.findings ?? (classification.ok ? classification.findings : [])
  const targets = targetsOf(judgement)
  const blocks: Block[] = [summaryBlock(judgement)]
  if (!classification.ok) blocks.push({ kind: 'text', text: classification.message, tone: 'bad' })
  if (findings.length > 0) {
    const rows = findings.map((finding) => [riskCell(finding.level), finding.code, finding.message])
    const columns = [{ title: 'level' }, { title: 'finding' }, { title: 'what' }]
    blocks.push({ kind: 'title', text: 'Findings' }, { kind: 'table', columns, rows, whenEmpty: '' })
  }
  if (targets.length > 0) {
    const rows = targets.map(({ schema, name, kind, access, scope }) => [
      schema === null ? name : `${schema}.${name}`,
      kind,
      access,
      scope,
    ])
    const columns = [{ title: 'target' }, { title: 'kind' }, { title: 'access' }, { title: 'rows' }]
    blocks.push({ kind: 'title', text: 'Targets' }, { kind: 'table', columns, rows, whenEmpty: '' })
  }
  return { ok: true, data: dataOf(judgement), blocks }
}
