/** Tables and columns under protection: what is done to them is judged by the level that the assessment gives for it. */
import { actionOfLevel, stricterOf } from '../level-action.ts'
import type { PolicyRule } from '../model.ts'

export const protectedObject: PolicyRule = {
  id: 'protected-object',
  summary:
    'Applies the action of IMPACT_CRITICAL to a statement that writes to a protected table or column, and that of HIGH to one that reads it.',
  fields: ['protected_tables', 'protected_columns', 'BACKSTOP_POLICY_<LEVEL>'],
  judge(facts, active) {
    const findings = facts.findings.filter(({ code }) => code.startsWith('protected-'))
    const action = findings.map(({ level }) => actionOfLevel(level, active)).reduce(stricterOf, 'execute')
    if (action === 'execute') return undefined
    const subject = facts.protectedTable ?? facts.protectedColumns[0] ?? 'data'
    const consequence = action === 'block' ? 'is blocked by policy' : 'requires approval'
    return { action, reason: `${facts.operation} on protected ${subject} ${consequence}` }
  },
}
