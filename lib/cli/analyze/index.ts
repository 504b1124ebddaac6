/** `backstop analyze`: what a statement would do and what the policy would decide, without running it. */
import { defineCommand, text } from '../frame/index.ts'
import { loadPolicy } from '../frame/policy-source.ts'
import { judgeInDatabase, judgeText } from './judge.ts'
import { showJudgement } from './show.ts'

export const analyze = defineCommand({
  path: 'analyze',
  summary: 'Say what a statement would do and what the policy would decide',
  details: 'Nothing is run. With --db the names, functions and rows are looked up in a read-only transaction.',
  args: [{ name: 'sql', summary: 'one SQL statement', isRequired: true }],
  flags: {
    db: text('--db <url>', 'ask this database too'),
    policy: text('--policy <file>', 'judge by this policy file (BACKSTOP_POLICY)'),
  },
  json: 'risk_level, operation, operations[], policy_action, policy_rule, policy_reason, recovery_required, recoverability, findings[], targets[], query_sha256, functions_to_look_up[], database, impact, losing_tables, error',
  examples: [
    {
      does: 'A delete that a SELECT hides',
      line: 'backstop analyze "WITH d AS (DELETE FROM orders RETURNING 1) SELECT count(*) FROM d"',
    },
    {
      does: 'With the rows that it reaches',
      line: 'backstop analyze "DELETE FROM orders WHERE id < 100" --db postgresql://localhost/shop',
    },
  ],
  async run({ args, flags }, { environment }) {
    const [sql = ''] = args
    const active = await loadPolicy(flags.policy, environment)
    return showJudgement(
      flags.db === undefined ? await judgeText(sql, active) : await judgeInDatabase(sql, active, flags.db),
    )
  },
})
