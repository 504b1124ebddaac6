/** What no approval may allow is blocked. */
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep } from './model.ts'

export const dropDatabaseStep: DemoStep = {
  id: 'drop-database',
  title: 'DROP DATABASE is blocked',
  actor: 'agent',
  async run({ execute, databaseName }) {
    const statement = `DROP DATABASE ${databaseName}`
    const answer = await execute(statement)
    return {
      input: statement,
      answer: `${answer.status}, ${answer.risk_level}: ${answer.message}`,
      claims: [
        answerClaim('no approval is offered', [answer.status, answer.approval_id ?? null], ['blocked', null]),
        databaseClaim(
          'the database is there',
          'SELECT count(*)::int FROM pg_database WHERE datname = $1',
          1,
          databaseName,
        ),
      ],
    }
  },
}
