/** A harmless question is answered at once. */
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'

const QUESTION = 'SELECT country, count(*)::int AS customers FROM customers GROUP BY country ORDER BY country'

export const readStep: DemoStep = {
  id: 'read',
  title: 'A read runs at once',
  actor: 'agent',
  async run({ execute }) {
    const answer = await execute(QUESTION)
    const rows = answer.rows ?? []
    return {
      input: QUESTION,
      answer: `${answer.status}, ${answer.risk_level}: ${rows.map((row) => `${row['country']} ${row['customers']}`).join(', ')}`,
      claims: [
        answerClaim('', answer.status, 'executed'),
        databaseClaim(
          `the ${rows.length} rows are the ones that the database gives directly`,
          `SELECT json_agg(q) FROM (${QUESTION}) q`,
          rows,
        ),
      ],
    }
  },
}
