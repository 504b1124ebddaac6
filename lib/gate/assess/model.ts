/** What the database adds to the classification: names resolved, functions judged, rows counted. */
import type { RelationName, RiskLevel } from '#lib/kernel/index.ts'
import type { Access, Finding, Scope } from '../classify/index.ts'

export interface ResolvedTarget {
  readonly oid: number
  readonly relation: RelationName
  /** pg_class.relkind: r table, p partitioned, v view, m materialized view, f foreign, S sequence, i index. */
  readonly relationKind: string
  readonly access: Access
  readonly scope: Scope
  readonly isDestructive: boolean
}

/** A function outside pg_catalog that the statement, a view or a trigger runs; the hash binds an approval to its body. */
export interface ResolvedFunction {
  readonly oid: number
  readonly identity: string
  readonly volatility: 'immutable' | 'stable' | 'volatile'
  readonly bodySha256: string
}

/** `measured`: by running the statement and rolling it back, when the row guard stopped it. */
export type ImpactMethod = 'counted' | 'bounded' | 'measured' | 'planner' | 'statistics' | 'unknown' | 'not-applicable'

export interface Impact {
  readonly method: ImpactMethod
  /** Rows that the statement's predicate reaches; for `bounded` at least this many. */
  readonly rowCount?: number
  readonly tableRowCount?: number
  /** 0 to 100. */
  readonly percent?: number
}

export interface Assessment {
  /** Never below the classification's. */
  readonly level: RiskLevel
  readonly findings: readonly Finding[]
  readonly targets: readonly ResolvedTarget[]
  readonly functions: readonly ResolvedFunction[]
  /** `view:oid:digest`, `policy:…` and `rule:…` of the definitions that decide what the statement means. */
  readonly definitions: readonly string[]
  /** Relations that have to exist for the statement and do not: it will fail. */
  readonly unresolved: readonly string[]
  /** Called functions that do not exist: it will fail. */
  readonly unknownFunctions: readonly string[]
  /** True when no function of a user or an extension is reached: the session cannot be left changed. */
  readonly isBuiltInOnly: boolean
  readonly impact: Impact
  /** Every table that loses rows, columns or itself: the destructive targets, their partitions, and what cascades reach. */
  readonly losingTables: readonly RelationName[]
  /** Set when a protected table is a target of the statement: its display name. */
  readonly protectedTable?: string
  /** `orders.email`, sorted. */
  readonly protectedColumns: readonly string[]
  /** True when something protected is looked at: how many rows the statement reaches would tell of its values. */
  readonly readsProtected: boolean
}
