/** Text that is not one judgeable statement, and statements that would change the session. */
import type { DecisionFacts, PolicyRule } from '../model.ts'

const REFUSALS: Readonly<Partial<Record<NonNullable<DecisionFacts['refusal']>, string>>> = {
  EMPTY: 'there is no statement to run',
  MULTIPLE_STATEMENTS: 'several statements in one request are blocked: send them one by one',
  TOO_LONG: 'the statement is too long to be judged',
  TOO_DEEP: 'the statement is nested too deeply to be judged',
  HIDDEN_CHARACTERS: 'the text has invisible characters that make it read differently from what would run',
}

export const neverRun: PolicyRule = {
  id: 'never-run',
  summary:
    'Blocks several statements in one request, invisible characters, text beyond the limits, transaction control and whatever else would change the session of the next caller.',
  fields: [],
  judge(facts) {
    const refusal = facts.refusal === undefined ? undefined : REFUSALS[facts.refusal]
    if (refusal !== undefined) return { action: 'block', reason: refusal }
    if (facts.refusal !== undefined || facts.transaction !== 'never') return undefined
    return { action: 'block', reason: `${facts.operation} is blocked: it would change the session of the next caller` }
  },
}
