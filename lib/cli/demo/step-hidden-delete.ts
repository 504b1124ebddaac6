/** A delete inside a SELECT is found and held. */
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { contentSql, remembered } from './state.ts'

const STATEMENT = 'WITH old AS (DELETE FROM payments RETURNING amount) SELECT sum(amount) FROM old'

export const hiddenDeleteStep: DemoStep = {
  id: 'hidden-delete',
  title: 'A SELECT that hides a DELETE is held',
  actor: 'agent',
  async run({ execute, memory }) {
    const before = remembered(memory.payments, 'state of payments')
    const answer = await execute(STATEMENT)
    return {
      input: STATEMENT,
      answer: `${answer.status}, ${answer.risk_level}: ${answer.safety_metadata.policy_reason}`,
      claims: [
        answerClaim('it is held for a person', answer.status, 'approval_required'),
        answerClaim('', answer.risk_level, 'CRITICAL'),
        databaseClaim(
          `all ${before.rowCount} payments are as before, by content`,
          contentSql('payments'),
          before.content,
        ),
      ],
    }
  },
}
