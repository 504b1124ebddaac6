/** A destruction is held, and whoever asks for it cannot allow it. */
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { contentSql, remembered } from './state.ts'

export const DROP_PAYMENTS = 'DROP TABLE payments'

export const dropTableStep: DemoStep = {
  id: 'drop-table',
  title: 'DROP TABLE is held, and the agent cannot approve itself',
  actor: 'agent',
  async run({ execute, memory, agent }) {
    const before = remembered(memory.payments, 'state of payments')
    const answer = await execute(DROP_PAYMENTS)
    const approvalId = remembered(answer.approval_id, 'approval id')
    memory.dropApprovalId = approvalId
    const own = await agent.send('POST', `/approve/${approvalId}`, {})
    const required = (own.body as { readonly required_scope?: string }).required_scope
    return {
      input: DROP_PAYMENTS,
      answer: `${answer.status}, ${answer.risk_level}: ${approvalId}`,
      claims: [
        answerClaim('', answer.status, 'approval_required'),
        answerClaim(
          `POST /approve with the agent's own token: 403, it lacks ${required}`,
          [own.status, required],
          [403, 'approval:write'],
        ),
        databaseClaim(`payments is there with its ${before.rowCount} rows`, contentSql('payments'), before.content),
      ],
    }
  },
}
