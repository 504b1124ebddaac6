/** A person decides, on the command line. */
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { contentSql, remembered } from './state.ts'

interface Decision {
  readonly status: string
  readonly decided_by: string
}

export const approveStep: DemoStep = {
  id: 'approve',
  title: 'An operator sees it and approves',
  actor: 'operator',
  async run({ cli, memory }) {
    const approvalId = remembered(memory.dropApprovalId, 'approval')
    const before = remembered(memory.payments, 'state of payments')
    const listed = await cli('approvals', 'list')
    const pending = listed.data['approvals'] as readonly { readonly id: string; readonly query: string }[]
    const answer = await cli('approvals', 'approve', approvalId, '--comment', 'migrated to the new ledger')
    const decision = answer.data['decision'] as Decision | undefined
    const found = pending.find(({ id }) => id === approvalId)
    return {
      input: `backstop approvals approve ${approvalId} --comment "migrated to the new ledger"`,
      answer: `${decision?.status} by ${decision?.decided_by}`,
      claims: [
        answerClaim('the operator reads the very statement: DROP TABLE payments', found?.query, 'DROP TABLE payments'),
        answerClaim('', [decision?.status, decision?.decided_by, answer.exitCode], ['approved', 'operator', 0]),
        databaseClaim(
          'an approval alone changes nothing: payments is as before',
          contentSql('payments'),
          before.content,
        ),
      ],
    }
  },
}
