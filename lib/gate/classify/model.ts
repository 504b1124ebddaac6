/** What is read from a statement's text alone: the words of classification. */
import type { RiskLevel, Sha256Hex } from '#lib/kernel/index.ts'

/** A relation as the statement writes it; `schema` only where it is written. Folded and unquoted as the parser does. */
export interface WrittenName {
  readonly catalog?: string
  readonly schema?: string
  readonly name: string
}

export type Access =
  | 'read'
  | 'lock'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'truncate'
  | 'create'
  | 'alter'
  | 'drop'
  | 'copy-in'
  | 'maintain'
  | 'grant'

export type ObjectKind =
  | 'table'
  | 'view'
  | 'materialized view'
  | 'index'
  | 'sequence'
  | 'schema'
  | 'database'
  | 'function'
  | 'type'
  | 'role'
  | 'extension'
  | 'foreign table'
  | 'other'

/** How much of a target a write reaches, by its form. */
export type Scope = 'all' | 'filtered' | 'not-applicable'

export interface Target {
  readonly object: WrittenName
  readonly objectKind: ObjectKind
  readonly access: Access
  readonly scope: Scope
  /** True when rows, columns, stored values or the object itself are gone afterwards. */
  readonly isDestructive: boolean
  /** DROP … CASCADE, TRUNCATE … CASCADE. */
  readonly isCascade: boolean
  /** ONLY t: without its children. */
  readonly isOnly: boolean
}

/** A function call anywhere in the statement, operators and casts aside. */
export interface FunctionUse {
  readonly schema?: string
  readonly name: string
  readonly argumentCount: number
  /** How it is used; a procedure is CALLed. */
  readonly form: 'call' | 'from' | 'procedure' | 'default'
}

/**
 * A column that the statement names or takes in by a star.
 * `relation` is the written relation after following aliases where the tree alone decides it; absent: it may be any of the
 * statement's relations in that scope. `name` '*' stands for all columns.
 */
export interface ColumnUse {
  readonly relation?: WrittenName
  readonly name: string
  readonly access: 'read' | 'write'
}

/** One reason for the level. */
export interface Finding {
  /** Kebab-case and stable, such as `data-modifying-cte`. */
  readonly code: string
  readonly level: RiskLevel
  readonly message: string
}

/** How a statement has to be run. */
export type TransactionMode =
  /** In a READ ONLY transaction. */
  | 'read'
  | 'write'
  /** PostgreSQL refuses it inside a transaction block: VACUUM, CREATE INDEX CONCURRENTLY, ALTER SYSTEM, … */
  | 'outside'
  /** Not at all: transaction control, SET, LISTEN, PREPARE, cursors: they would change the session that the next caller gets. */
  | 'never'

/** Whether what the statement destroys can be brought back from table snapshots. */
export type Recoverability = 'nothing-lost' | 'tables' | 'impossible'

export interface ClassifiedStatement {
  readonly ok: true
  /** Node kind of the root: `SelectStmt`. */
  readonly kind: string
  /** The label that policies name: `SELECT`, `DROP TABLE`, `EXPLAIN ANALYZE DELETE`, `CREATE INDEX CONCURRENTLY`. */
  readonly operation: string
  /**
   * Every operation that is part of the statement, the root's first: `WITH d AS (DELETE …) SELECT …` has `SELECT` and `DELETE`.
   * A rule that blocks an operation looks here, or a sub-statement slips past it.
   */
  readonly operations: readonly string[]
  readonly level: RiskLevel
  /** The highest first; at least one unless SAFE. */
  readonly findings: readonly Finding[]
  readonly targets: readonly Target[]
  readonly functions: readonly FunctionUse[]
  /**
   * The calls among `functions` that the text alone cannot judge: not a known function of pg_catalog, so extensions' and users'.
   *
   * They do not raise `level`: a custom STABLE function must not be held for being custom. That is sound only because whoever
   * executes looks each of them up first and raises to at least HIGH what is VOLATILE, SECURITY DEFINER, in an untrusted
   * language, ambiguous between several candidates of which one is, or not found; without a database at hand the answer
   * says that it is pending. Overloads count: a call of a known name (`round(x, 2)`) may reach a user's function of that name when
   * its argument types fit better, so the same look-up goes over the names in `functions` as far as the search path holds
   * functions outside pg_catalog by those names. The same goes for `qualifiedOperators` and for `types`.
   * The READ ONLY transaction that a SAFE statement runs in is the second line, not the first: it does not stop everything.
   */
  readonly unresolvedFunctions: readonly FunctionUse[]
  /** Operators that pg_catalog does not have by that symbol, or that are written with another schema: `OPERATOR(s.+)`. */
  readonly qualifiedOperators: readonly WrittenName[]
  /** Types named outside pg_catalog, whose input functions or casts may run: `'x'::s.t`. */
  readonly types: readonly WrittenName[]
  readonly columns: readonly ColumnUse[]
  /** Names after a dot behind an expression: `(row).name` is a field, or a call of `name(row)`. */
  readonly attributes: readonly string[]
  readonly transaction: TransactionMode
  readonly recoverability: Recoverability
  /** True when it returns rows: SELECT, SHOW, EXPLAIN, RETURNING, COPY TO is not among them. */
  readonly returnsRows: boolean
  /** Equal for statements that differ only in white space, comments, keyword case and literals. */
  readonly fingerprint: string
  /** Of the text as it came, trimmed. */
  readonly textSha256: Sha256Hex
  /** For a top-level UPDATE or DELETE: `SELECT count(*)` of the same predicate, bounded by `$limit` rows (see `buildImpactQuery`). */
  readonly impact?: ImpactShape
}

/** An UPDATE or DELETE whose rows can be counted beforehand. */
export interface ImpactShape {
  readonly target: WrittenName
  /**
   * A complete SELECT that yields one row per row that the write would reach; no LIMIT. Verified to hold the same predicate.
   * It takes the same parameters as the statement: those that only SET or RETURNING use stand in its list as text.
   */
  readonly rowsQuery: string
  /** The same with `tableoid` and `ctid` of each row as text; fails where the target is a view. */
  readonly placesQuery: string
}

/** The text that cannot be judged statement by statement. Never executed. */
export interface RefusedText {
  readonly ok: false
  readonly code: 'EMPTY' | 'MULTIPLE_STATEMENTS' | 'PARSE_FAILURE' | 'TOO_LONG' | 'TOO_DEEP' | 'HIDDEN_CHARACTERS'
  /** SAFE for EMPTY, else CRITICAL. */
  readonly level: RiskLevel
  readonly message: string
  readonly textSha256: Sha256Hex
  /** For PARSE_FAILURE: byte offset of the error, 1-based; absent when the parser gave none. */
  readonly position?: number
}

export type Classification = ClassifiedStatement | RefusedText

/** Longest statement that is parsed, in UTF-8 bytes. */
export const MAX_STATEMENT_BYTES = 262_144
/** Deepest tree that is walked, in nodes from root to leaf. */
export const MAX_TREE_DEPTH = 1_000
