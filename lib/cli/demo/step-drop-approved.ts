/** The approved destruction: its last state is secured in the same transaction. */
import { request } from '../gateway/index.ts'
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { remembered } from './state.ts'
import { DROP_PAYMENTS } from './step-drop-table.ts'

export const dropApprovedStep: DemoStep = {
  id: 'drop-approved',
  title: 'The agent resubmits: final snapshot and DROP in one transaction',
  actor: 'agent',
  async run({ execute, memory, agent }) {
    const before = remembered(memory.payments, 'state of payments')
    const approvalId = remembered(memory.dropApprovalId, 'approval')
    const answer = await execute(DROP_PAYMENTS, approvalId)
    const approval = await request<{ readonly status: string }>(agent, 'GET', `/approvals/${approvalId}`)
    const point = answer.recovery_points?.find(({ table }) => table === 'payments')
    if (point !== undefined) memory.snapshotId = point.snapshot_id
    return {
      input: `${DROP_PAYMENTS}   with approval ${approvalId}`,
      answer: `${answer.status}, secured as ${point?.snapshot_id}`,
      claims: [
        answerClaim('', answer.status, 'executed'),
        databaseClaim('payments is gone', `SELECT to_regclass('public.payments') IS NULL`, true),
        answerClaim(`the final snapshot holds all ${before.rowCount} rows`, point?.row_count, before.rowCount),
        answerClaim('the approval is used up: it was good for this one run', approval.status, 'consumed'),
      ],
    }
  },
}
