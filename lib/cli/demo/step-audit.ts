/** Everything is written down, and it can be proven that the record is whole. */
import { request } from '../gateway/index.ts'
import { answerClaim } from './claim.ts'
import type { DemoStep } from './model.ts'

interface AuditPage {
  readonly items: readonly { readonly action: string; readonly outcome: string | null }[]
}

/** Oldest first: what became of each statement of this demonstration. */
const OUTCOMES = ['executed', 'held', 'held', 'blocked', 'held', 'executed']

export const auditStep: DemoStep = {
  id: 'audit',
  title: 'The audit ledger has it all, and nothing was changed in it',
  actor: 'operator',
  async run({ cli, ops }) {
    const { data, exitCode } = await cli('audit', 'verify')
    const checked = (data['checked'] ?? {}) as Readonly<Record<string, number>>
    const page = await request<AuditPage>(ops, 'GET', '/metadata/audit?limit=100')
    const outcomes = page.items.filter(({ action }) => action === 'statement').map(({ outcome }) => outcome)
    const says = `the ledger names all ${OUTCOMES.length} statements in order: ${OUTCOMES.join(', ')}`
    return {
      input: 'backstop audit verify',
      answer: `intact: ${(checked['entries'] ?? 0) + (checked['unsealed'] ?? 0)} entries checked`,
      claims: [
        answerClaim('the ledger verifies without a problem', [exitCode, data['ok'], data['problems']], [0, true, []]),
        answerClaim(says, outcomes.reverse().slice(0, OUTCOMES.length), OUTCOMES),
      ],
    }
  },
}
