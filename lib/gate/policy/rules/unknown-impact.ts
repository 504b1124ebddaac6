/** Writes whose reach nobody could measure. */
import type { PolicyRule } from '../model.ts'

export const unknownImpact: PolicyRule = {
  id: 'unknown-impact',
  summary: 'Applies `unknown_impact_action` to a write whose rows could not be counted or estimated.',
  fields: ['impact_analysis_enabled', 'unknown_impact_action'],
  judge(facts, { policy }) {
    const action = policy.unknown_impact_action
    if (!policy.impact_analysis_enabled || facts.impact.method !== 'unknown' || action === 'execute') return undefined
    const consequence = action === 'block' ? 'is blocked by policy' : 'requires approval'
    return { action, reason: `${facts.operation} reaches a number of rows that is unknown and ${consequence}` }
  },
}
