/** What the matrix of the way back is made of: shapes of tables, and what happens to them. */
import type { RelationName } from '#lib/kernel/index.ts'

/** One table, with what a situation needs to know to do damage to it. Names and expressions are SQL. */
export interface Shape {
  readonly name: string
  readonly relation: RelationName
  /** Makes the table, everything around it, and at least ten rows. */
  readonly seed: string
  /** Columns of the primary key; empty: none. */
  readonly key: readonly string[]
  /** A column that is no part of the key, and a value that no row has in it. */
  readonly value: { readonly column: string; readonly wrong: string; readonly wrongType: string }
  /** Sets the key columns to values that no row has; or why that cannot happen. */
  readonly moveKey: string | NotApplicable
  /** Rows that a careless DELETE takes: those that nothing refers to. */
  readonly deletable?: string
  /** Adds a row that the snapshot does not know. */
  readonly add: string
  /** Adds a row by the table's own sequence; its number has to be larger than every other one. */
  readonly next?: { readonly insert: string; readonly column: string }
  /** Tables that are emptied or changed with it, in the order in which they come back. */
  readonly others?: readonly RelationName[]
  /** Situations that cannot happen to this shape, or are not undone for it, and why. */
  readonly not?: Readonly<Record<string, string>>
  /** Members of the definition that are known to come back otherwise in a situation, and why. */
  readonly differs?: Readonly<Record<string, readonly string[]>>
}

export interface NotApplicable {
  readonly why: string
}

export interface Situation {
  readonly name: string
  /** The damage; or why it cannot be done to this shape. */
  damage(shape: Shape, table: string): string | NotApplicable
  readonly policy?: 'skip' | 'overwrite' | 'fail'
  /** What has to be true afterwards. */
  readonly expects: Expectation
}

/**
 * `exact`: content and definition as before. `kept`: the same, and the row that was added stays. `skipped`: lost rows are back,
 * changed ones stay. `refused`: no plan, nothing changed.
 */
export type Expectation = 'exact' | 'kept' | 'skipped' | 'refused'
