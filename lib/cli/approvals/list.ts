/** `backstop approvals list`: what waits for a decision. */
import { systemClock } from '#lib/adapters/system/index.ts'
import { choice, defineCommand } from '../frame/index.ts'
import { connectGateway, GATEWAY_FLAGS, request } from '../gateway/index.ts'
import { formatDuration, oneLine, riskCell, shorten, stateCell } from '../terminal/index.ts'
import type { ShownApproval } from './model.ts'
import { rowsOf, tableOf } from './show-approval.ts'

const STATES = ['pending', 'approved', 'denied', 'expired', 'consumed', 'all'] as const
const STATEMENT_LENGTH = 60

export const approvalsList = defineCommand({
  path: 'approvals list',
  summary: 'List held statements',
  flags: { ...GATEWAY_FLAGS, state: choice('--state <state>', 'which ones', STATES, 'pending') },
  json: 'approvals[] as `GET /approvals` gives them, count',
  examples: [
    { does: 'What waits', line: 'BACKSTOP_TOKEN=… backstop approvals list' },
    {
      does: 'Everything, newest first, for a program',
      line: 'backstop approvals list --state all --token-file operator.token --json',
    },
  ],
  async run({ flags }, context) {
    const gateway = await connectGateway(flags, context)
    const approvals = await readApprovals(gateway, flags.state)
    const nowMs = systemClock.nowMs()
    const rows = approvals.map((approval) => [
      approval.id,
      stateCell(approval.status),
      riskCell(approval.risk_level),
      approval.operation,
      tableOf(approval),
      rowsOf(approval),
      approval.agent_id,
      formatDuration(nowMs - Date.parse(approval.created_at)),
      shorten(oneLine(approval.query), STATEMENT_LENGTH),
    ])
    const titles = ['id', 'state', 'risk', 'operation', 'table', 'rows', 'agent', 'age', 'statement']
    const whenEmpty = flags.state === 'pending' ? 'Nothing waits for a decision.' : 'There is none.'
    return {
      ok: true,
      data: { approvals, count: approvals.length },
      blocks: [{ kind: 'table', columns: titles.map((title) => ({ title })), rows, whenEmpty }],
    }
  },
})

async function readApprovals(
  gateway: Parameters<typeof request>[0],
  state: (typeof STATES)[number],
): Promise<readonly ShownApproval[]> {
  if (state === 'pending') {
    return (await request<{ pending: readonly ShownApproval[] }>(gateway, 'GET', '/pending')).pending
  }
  const filter = state === 'all' ? '' : `&state=${state}`
  return (await request<{ items: readonly ShownApproval[] }>(gateway, 'GET', `/approvals?limit=100${filter}`)).items
}
