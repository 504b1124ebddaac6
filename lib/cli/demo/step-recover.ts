/** The lost table comes back beside its old place, compared by content. */
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'
import { contentSql, countSql, remembered } from './state.ts'

export const recoverStep: DemoStep = {
  id: 'recover',
  title: 'backstop recover brings it back, and proves it',
  actor: 'operator',
  async run({ cli, memory }) {
    const before = remembered(memory.payments, 'state of payments')
    const snapshotId = remembered(memory.snapshotId, 'snapshot')
    const { data, exitCode } = await cli('recover', '--table', 'payments', '--non-interactive')
    const copyback = data['copyback'] as { readonly statements: readonly string[] } | null | undefined
    if (copyback) memory.copyback = copyback.statements
    return {
      input: 'backstop recover --table payments --non-interactive',
      answer: `${data['row_count']} rows in ${data['target']}`,
      claims: [
        answerClaim(
          'it took the newest valid point by itself: the final snapshot',
          [data['snapshot_id'], exitCode],
          [snapshotId, 0],
        ),
        databaseClaim('', countSql('payments_recovered'), before.rowCount),
        databaseClaim(
          `payments_recovered equals payments before the drop, ${before.rowCount} rows by content`,
          contentSql('payments_recovered'),
          before.content,
        ),
      ],
    }
  },
}
