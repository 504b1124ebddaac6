/** What the statement's levels lead to; the rule that always answers. */
import { actionOfLevel, isStricter } from '../level-action.ts'
import type { PolicyAction, PolicyRule } from '../model.ts'

const CONSEQUENCES: Readonly<Record<PolicyAction, string>> = {
  execute: 'SQL may execute immediately',
  approve: 'SQL requires approval',
  block: 'SQL is blocked by policy',
}

export const levelAction: PolicyRule = {
  id: 'level-action',
  summary:
    'Applies `BACKSTOP_POLICY_<LEVEL>`, else the approval list. Where a statement has several levels, as written, as found and as measured, the strictest action counts.',
  fields: ['BACKSTOP_POLICY_<LEVEL>', 'require_approval_for_risks'],
  judge(facts, active) {
    let level = facts.level
    for (const other of facts.levels) {
      if (isStricter(actionOfLevel(other, active), actionOfLevel(level, active))) level = other
    }
    const action = actionOfLevel(level, active)
    return { action, reason: `${level} ${CONSEQUENCES[action]}` }
  },
}
