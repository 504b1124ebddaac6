/** From a submission to a verdict: assess in the session's open transaction, describe, plan, decide. */
import type { DatabaseSession, SqlParameter } from '#lib/ports/index.ts'
import { type Assessment, assess, findPartitionedTables, findRelatedTables } from '../assess/index.ts'
import type { ClassifiedStatement } from '../classify/index.ts'
import type { LookedUp } from '../policy/index.ts'
import { decide, describeFacts, needsPartitionedTables, needsRelatedTables, planRecovery } from '../policy/index.ts'
import type { QueryRequest } from './model.ts'
import type { Judged, Submission } from './submission.ts'

export function parametersOf(request: QueryRequest): readonly SqlParameter[] {
  return request.parameters ?? []
}

/** Everything that follows from an assessment without asking the database again. */
export function judgeAssessment(
  submission: Submission,
  statement: ClassifiedStatement,
  assessment: Assessment,
  lookedUp: LookedUp = {},
): Judged {
  const facts = describeFacts(statement, assessment, lookedUp)
  return {
    ...submission,
    statement,
    assessment,
    facts,
    plan: planRecovery(facts, submission.active.policy),
    verdict: decide(facts, submission.active),
  }
}

/** Assess within the session's transaction and decide. Throws StatementError, DATABASE_UNREACHABLE. */
export async function judge(
  session: DatabaseSession,
  submission: Submission,
  statement: ClassifiedStatement,
): Promise<Judged> {
  const { policy } = submission.active
  const { query } = submission.request
  const assessment = await assess(session, query, parametersOf(submission.request), statement, policy)
  const facts = describeFacts(statement, assessment)
  const related = needsRelatedTables(facts, policy)
    ? await findRelatedTables(
        session,
        assessment.targets.map((target) => target.oid),
      )
    : undefined
  const named = [...facts.directTables, ...facts.writtenTables, ...facts.cascadeTables]
  const above = needsPartitionedTables(facts, policy) ? await findPartitionedTables(session, named) : undefined
  return judgeAssessment(submission, statement, assessment, { relatedTables: related, partitionedTables: above })
}

/** The same submission after the row guard has measured what it really changes. */
export function raiseByMeasure(
  judged: Judged,
  changedRows: number,
  percent: number | undefined,
  catalogs: readonly string[] = [],
): Judged {
  const inside =
    catalogs.length === 0 ? '' : ` Inside of it TRUNCATE or DDL changes ${[...catalogs].sort().join(', ')}.`
  const message = `It was run and rolled back: with cascades and triggers it changes ${changedRows} rows.${inside}`
  const assessment: Assessment = {
    ...judged.assessment,
    level: judged.assessment.level === 'CRITICAL' ? 'CRITICAL' : 'IMPACT_CRITICAL',
    findings: [...judged.assessment.findings, { code: 'measured-over-threshold', level: 'IMPACT_CRITICAL', message }],
    impact: {
      ...judged.assessment.impact,
      method: 'measured',
      rowCount: changedRows,
      ...(percent === undefined ? {} : { percent }),
    },
  }
  const { relatedTables, partitionedTables } = judged.facts
  return judgeAssessment(judged, judged.statement, assessment, { relatedTables, partitionedTables })
}
