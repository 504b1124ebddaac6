/** From classification and assessment to the facts that a decision looks at. */
import type { RelationName, RiskLevel } from '#lib/kernel/index.ts'
import { maxRisk, quoteRelation } from '#lib/kernel/index.ts'
import type { Assessment, ResolvedTarget } from '../assess/index.ts'
import type { Classification, ClassifiedStatement, RefusedText } from '../classify/index.ts'
import type { DecisionFacts } from './model.ts'
import { normalizeOperation, operationOfTarget } from './operation.ts'

const EXPLAIN_ANALYZE = 'EXPLAIN ANALYZE '

/**
 * Put together what is decided on.
 *
 * Invariants: no level of the text, a finding or the assessment is left out; a statement without an assessment is judged by
 *             its text alone, and a text that was refused carries no tables
 * Effects:    pure
 */
export function describeFacts(
  classification: Classification,
  assessment?: Assessment,
  lookedUp: LookedUp = {},
): DecisionFacts {
  const facts = classification.ok ? statementFacts(classification, assessment) : refusedFacts(classification)
  const partitionedTables = [...(facts.partitionedTables ?? []), ...(lookedUp.partitionedTables ?? [])]
  return {
    ...facts,
    ...(lookedUp.relatedTables === undefined ? {} : { relatedTables: lookedUp.relatedTables }),
    ...(partitionedTables.length === 0 ? {} : { partitionedTables }),
  }
}

/** What only some policies need of the catalog. */
export type LookedUp = {
  readonly [Name in 'relatedTables' | 'partitionedTables']?: DecisionFacts[Name] | undefined
}

function refusedFacts(text: RefusedText): DecisionFacts {
  const operation = text.code === 'PARSE_FAILURE' || text.code === 'EMPTY' ? text.code : 'UNKNOWN'
  return {
    operation,
    operations: [operation],
    level: text.level,
    levels: [text.level],
    findings: [],
    transaction: 'never',
    recoverability: 'nothing-lost',
    refusal: text.code,
    impact: { method: 'not-applicable' },
    protectedColumns: [],
    directTables: [],
    cascadeTables: [],
    writtenTables: [],
  }
}

function statementFacts(statement: ClassifiedStatement, assessment: Assessment | undefined): DecisionFacts {
  const findings = assessment?.findings ?? statement.findings
  const levels = collectLevels(statement, assessment)
  return {
    operation: statement.operation,
    operations: collectOperations(statement),
    level: levels.reduce(maxRisk),
    levels,
    findings,
    transaction: statement.transaction,
    recoverability: statement.recoverability,
    impact: assessment?.impact ?? { method: 'not-applicable' },
    ...(assessment?.protectedTable === undefined ? {} : { protectedTable: assessment.protectedTable }),
    protectedColumns: assessment?.protectedColumns ?? [],
    ...splitTables(assessment),
  }
}

function collectLevels(statement: ClassifiedStatement, assessment: Assessment | undefined): readonly RiskLevel[] {
  const all = [
    statement.level,
    ...(assessment === undefined ? [] : [assessment.level]),
    ...statement.findings.map((finding) => finding.level),
    ...(assessment?.findings ?? []).map((finding) => finding.level),
  ]
  return [...new Set(all)]
}

/** `EXPLAIN ANALYZE DELETE` is a DELETE too, and so is a MERGE that deletes. */
function collectOperations(statement: ClassifiedStatement): readonly string[] {
  const labels = [statement.operation, ...statement.operations].map(normalizeOperation)
  const analyzed = labels
    .filter((label) => label.startsWith(EXPLAIN_ANALYZE))
    .map((label) => label.slice(EXPLAIN_ANALYZE.length))
  const accesses = statement.targets.flatMap((target) => operationOfTarget(target) ?? [])
  return [...new Set([...labels, ...analyzed, ...accesses])]
}

function splitTables(
  assessment: Assessment | undefined,
): Pick<DecisionFacts, 'directTables' | 'cascadeTables' | 'writtenTables' | 'partitionedTables'> {
  const targets = assessment?.targets ?? []
  const named = new Set(
    targets.filter((target) => target.isDestructive).map((target) => quoteRelation(target.relation)),
  )
  const leadsOn = targets.some((target) => target.isDestructive && LEADS_TO_TABLES.has(target.relationKind))
  const losing = assessment?.losingTables ?? []
  const partitioned = targets
    .filter(
      ({ relationKind, isDestructive, access }) => relationKind === 'p' && (isDestructive || OVERWRITES.has(access)),
    )
    .map(({ relation }) => relation)
  const isDirect = (table: RelationName) => leadsOn || named.has(quoteRelation(table))
  return {
    directTables: losing.filter(isDirect),
    cascadeTables: losing.filter((table) => !isDirect(table)),
    writtenTables: targets.filter(isOverwritten).map((target) => target.relation),
    ...(partitioned.length === 0 ? {} : { partitionedTables: partitioned }),
  }
}

/** Partitioned tables and views hold no rows: the tables that they lead to are among the losing ones. */
const LEADS_TO_TABLES: ReadonlySet<string> = new Set(['p', 'v'])

const OVERWRITES: ReadonlySet<string> = new Set(['update', 'delete', 'merge'])

/** Rows change in place or go one by one. A foreign table is named here too, so that its lack of recovery points stops it. */
function isOverwritten({ access, relationKind, isDestructive }: ResolvedTarget): boolean {
  if (LEADS_TO_TABLES.has(relationKind)) return false
  if (relationKind === 'f' && isDestructive) return true
  return OVERWRITES.has(access)
}
