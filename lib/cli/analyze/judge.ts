/** Judge one statement as the gate would: by its text, and where a database is given by what it means there. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { ActivePolicy, Assessment, Classification, RecoveryPlan, Verdict } from '#lib/gate/index.ts'
import {
  assess,
  classify,
  decide,
  describeFacts,
  loadClassifier,
  needsRelatedTables,
  planRecovery,
} from '#lib/gate/index.ts'
import type { RiskLevel } from '#lib/kernel/index.ts'

export interface Judgement {
  readonly classification: Classification
  readonly assessment?: Assessment
  readonly level: RiskLevel
  readonly verdict: Verdict
  readonly plan: RecoveryPlan
  /** `host:port/name` of the database that was asked. */
  readonly database?: string
}

function decideOn(classification: Classification, active: ActivePolicy, assessment?: Assessment): Judgement {
  const facts = describeFacts(classification, assessment)
  return {
    classification,
    ...(assessment === undefined ? {} : { assessment }),
    level: facts.level,
    verdict: decide(facts, active),
    plan: planRecovery(
      needsRelatedTables(facts, active.policy) ? { ...facts, relatedTables: [] } : facts,
      active.policy,
    ),
  }
}

/** Effects: loads the parser. */
export async function judgeText(sql: string, active: ActivePolicy): Promise<Judgement> {
  await loadClassifier()
  return decideOn(classify(sql), active)
}

const ASSESS_TIMEOUT_MS = 10_000

/** Reads in a READ ONLY transaction. Throws DATABASE_UNREACHABLE, StatementError. */
export async function judgeInDatabase(sql: string, active: ActivePolicy, dbUrl: string): Promise<Judgement> {
  const { classification, ...byText } = await judgeText(sql, active)
  const database = openPostgres({ url: dbUrl, maxConnections: 1, applicationName: 'backstop-analyze' })
  try {
    return await database.withSession(async (session) => {
      await session.execute(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${ASSESS_TIMEOUT_MS}`)
      if (!classification.ok || classification.transaction === 'never') {
        return { classification, ...byText, database: database.label }
      }
      const assessment = await assess(session, sql, [], classification, active.policy)
      return { ...decideOn(classification, active, assessment), database: database.label }
    })
  } finally {
    await database.close()
  }
}
