import type { ActivePolicy, DecisionFacts, LevelActions } from '#lib/gate/policy/index.ts'
import { activatePolicy, parsePolicy } from '#lib/gate/policy/index.ts'

/** The policy of a file with these fields. */
export function policyOf(fields: object, levelActions: LevelActions = {}): ActivePolicy {
  const parsed = parsePolicy(JSON.stringify(fields))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return activatePolicy(parsed.policy, levelActions)
}

/** A bounded UPDATE of public.orders, LOW; override what matters. */
export function factsOf(changes: Partial<DecisionFacts> = {}): DecisionFacts {
  const level = changes.level ?? 'LOW'
  return {
    operation: 'UPDATE',
    operations: [changes.operation ?? 'UPDATE'],
    level,
    levels: [level],
    findings: [],
    transaction: 'write',
    recoverability: 'nothing-lost',
    impact: { method: 'counted', rowCount: 1, tableRowCount: 100, percent: 1 },
    protectedColumns: [],
    directTables: [],
    cascadeTables: [],
    writtenTables: [],
    ...changes,
  }
}
