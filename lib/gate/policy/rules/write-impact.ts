/** Writes that reach more rows than the policy allows without a second look. */
import { actionOfLevel } from '../level-action.ts'
import type { DecisionFacts, Policy, PolicyRule } from '../model.ts'

export const writeImpact: PolicyRule = {
  id: 'write-impact',
  summary:
    'Applies the action of IMPACT_CRITICAL to a write whose measured rows or share of the table pass the limits.',
  fields: [
    'impact_analysis_enabled',
    'max_write_rows_without_critical',
    'max_write_percent_without_critical',
    'BACKSTOP_POLICY_<LEVEL>',
  ],
  judge(facts, active) {
    if (!active.policy.impact_analysis_enabled) return undefined
    const excess = describeExcess(facts.impact, active.policy)
    const action = actionOfLevel('IMPACT_CRITICAL', active)
    if (excess === undefined || action === 'execute') return undefined
    const consequence = action === 'block' ? 'is blocked by policy' : 'requires approval'
    return { action, reason: `${facts.operation} reaches ${excess} and ${consequence}` }
  },
}

function describeExcess(impact: DecisionFacts['impact'], policy: Policy): string | undefined {
  const { rowCount, percent } = impact
  if (rowCount !== undefined && rowCount > policy.max_write_rows_without_critical) {
    const count = impact.method === 'bounded' ? `at least ${rowCount}` : String(rowCount)
    return `${count} rows (limit ${policy.max_write_rows_without_critical})`
  }
  if (percent !== undefined && percent > policy.max_write_percent_without_critical) {
    return `${Math.round(percent * 10) / 10} % of the table (limit ${policy.max_write_percent_without_critical} %)`
  }
  return undefined
}
