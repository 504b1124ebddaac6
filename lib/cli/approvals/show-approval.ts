/** One approval for the person who decides: what the product found, then, marked as such, what the agent says. */
import type { Block } from '../terminal/index.ts'
import { riskCell, stateCell } from '../terminal/index.ts'
import type { ShownApproval } from './model.ts'

export function tableOf({ schema, table }: ShownApproval): string {
  if (table === null) return '-'
  return schema === null ? table : `${schema}.${table}`
}

export function rowsOf({ safety_metadata: found }: ShownApproval): string {
  const rows = found.estimated_affected_rows
  return rows === null ? '-' : `${rows} (${found.impact_method})`
}

function parametersOf({ parameters = [] }: ShownApproval): readonly Block[] {
  if (parameters.length === 0) return []
  const values = parameters.map((value, index) => `$${index + 1} = ${JSON.stringify(value)}`).join('\n')
  return [
    { kind: 'text', text: 'With the values:', tone: 'muted' },
    { kind: 'code', text: values },
  ]
}

export function showApproval(approval: ShownApproval): readonly Block[] {
  const decided = approval.decided_by
    ? ([['decided by', `${approval.decided_by} at ${approval.decided_at}`]] as const)
    : []
  const comment = approval.comment ? ([['comment', approval.comment]] as const) : []
  return [
    {
      kind: 'pairs',
      pairs: [
        ['approval', approval.id],
        ['state', stateCell(approval.status)],
        ['risk', riskCell(approval.risk_level)],
        ['operation', approval.operation],
        ['table', tableOf(approval)],
        ['rows', rowsOf(approval)],
        ['why', approval.safety_metadata.policy_reason],
        ['recovery', approval.recovery_points.length > 0 ? approval.recovery_points.join(', ') : 'no recovery point'],
        ['asked by', `${approval.principal} for agent ${approval.agent_id}, ${approval.created_at}`],
        ['expires', approval.expires_at],
        ...decided,
        ...comment,
      ],
    },
    { kind: 'text', text: 'Statement, as the agent wrote it:', tone: 'muted' },
    { kind: 'code', text: approval.query },
    ...parametersOf(approval),
    ...(approval.agent_reason === null
      ? []
      : ([
          { kind: 'text', text: 'Reason, as the agent claims (not checked):', tone: 'muted' },
          { kind: 'code', text: approval.agent_reason },
        ] as const)),
  ]
}
