/** Tables and columns under protection are judged as IMPACT_CRITICAL at least. */
import { actionOfLevel } from '../level-action.ts'
import type { PolicyRule } from '../model.ts'

export const protectedObject: PolicyRule = {
  id: 'protected-object',
  summary: 'Applies the action of IMPACT_CRITICAL to a statement that touches a protected table or column.',
  fields: ['protected_tables', 'protected_columns', 'BACKSTOP_POLICY_<LEVEL>'],
  judge(facts, active) {
    const subject = facts.protectedTable ?? facts.protectedColumns[0]
    const action = actionOfLevel('IMPACT_CRITICAL', active)
    if (subject === undefined || action === 'execute') return undefined
    const consequence = action === 'block' ? 'is blocked by policy' : 'requires approval'
    return { action, reason: `${facts.operation} on protected ${subject} ${consequence}` }
  },
}
