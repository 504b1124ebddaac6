/** From facts and policy to one verdict. */
import { isStricter } from './level-action.ts'
import type { ActivePolicy, DecisionFacts, Verdict } from './model.ts'
import { RULES } from './rules/index.ts'

/**
 * Ask every rule; the strictest answer counts, and among equals the first.
 *
 * Invariants: total; one more answer of any rule never leads to a weaker action
 * Effects:    pure
 */
export function decide(facts: DecisionFacts, active: ActivePolicy): Verdict {
  let verdict: Verdict | undefined
  for (const rule of RULES) {
    const answer = rule.judge(facts, active)
    if (answer === undefined) continue
    if (verdict === undefined || isStricter(answer.action, verdict.action)) verdict = { ...answer, rule: rule.id }
  }
  return verdict ?? { action: 'block', rule: 'no-rule', reason: 'no rule of the policy speaks of this statement' }
}
