/** Operations that the policy names, wherever they stand in the statement. */
import type { PolicyRule } from '../model.ts'
import { coversOperation } from '../operation.ts'

export const blockOperations: PolicyRule = {
  id: 'block-operations',
  summary: 'Blocks a statement that is, or contains, a listed operation.',
  fields: ['block_operations'],
  judge(facts, { policy }) {
    const blocked = facts.operations.find((label) =>
      policy.block_operations.some((entry) => coversOperation(entry, label)),
    )
    if (blocked === undefined) return undefined
    const isWhole = blocked === facts.operation.toUpperCase()
    const reason = `${isWhole ? blocked : `${blocked} inside ${facts.operation}`} is blocked by policy`
    return { action: 'block', reason }
  },
}
