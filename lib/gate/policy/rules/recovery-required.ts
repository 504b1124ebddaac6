/** A recovery point is required and cannot exist: then at least a person answers for it. */
import { isAtLeast } from '#lib/kernel/index.ts'
import type { PolicyRule } from '../model.ts'

export const recoveryRequired: PolicyRule = {
  id: 'recovery-required',
  summary:
    'Holds a CRITICAL or IMPACT_CRITICAL statement that no recovery point can cover, where the policy allows it at all. Where points can cover it, they are demanded before it runs, whatever the action of its level.',
  fields: ['require_recovery_for_critical'],
  judge(facts, { policy }) {
    if (!policy.require_recovery_for_critical || facts.recoverability !== 'impossible') return undefined
    if (!isAtLeast(facts.level, 'IMPACT_CRITICAL')) return undefined
    return { action: 'approve', reason: `${facts.operation} has no possible recovery point and requires approval` }
  },
}
