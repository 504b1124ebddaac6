/** The form of an entry in the statement table: what a kind of statement is worth before and after its details are read. */
import type { Node } from 'libpg-query'
import type { RiskLevel } from '#lib/kernel/index.ts'
import type { Walk } from '../facts.ts'
import type { Recoverability, TransactionMode } from '../model.ts'

/** What reading the details changes about an entry. */
export interface Judgement {
  readonly operation?: string
  readonly level?: RiskLevel
  readonly code?: string
  readonly message?: string
  readonly transaction?: TransactionMode
  readonly recoverability?: Recoverability
}

export interface StatementEntry<F = never> {
  readonly operation: string
  readonly level: RiskLevel
  readonly code: string
  /** Why it has this level: one sentence without a full stop. */
  readonly message: string
  readonly transaction: TransactionMode
  readonly recoverability: Recoverability
  /** For the generated page: what becomes a target. */
  readonly targets: string
  /** For the generated page: how the details change the verdict. */
  readonly details?: string
  /** Add targets and findings, and say what differs from the entry. */
  readonly judge?: (fields: F, walk: Walk) => Judgement | undefined
  /** Fields that `judge` has read whole, so that the walk does not take them for reads. */
  readonly owned?: readonly string[]
  /** Replaces the plain walk over the children. */
  readonly walk?: (fields: F, walk: Walk) => void
}

/** The fields of a statement kind as the parser types them. */
export type FieldsOfKind<K extends string> = Extract<Node, Record<K, unknown>> extends Record<K, infer F> ? F : never

type Extras<F> = Partial<
  Pick<
    StatementEntry<F>,
    'transaction' | 'recoverability' | 'targets' | 'details' | 'judge' | 'owned' | 'walk' | 'code'
  >
>

/** An entry of the given level; the code defaults to the operation in kebab case. */
export function entry<F>(
  level: RiskLevel,
  operation: string,
  message: string,
  extras: Extras<F> = {},
): StatementEntry<F> {
  return {
    operation,
    level,
    code: operation.toLowerCase().replaceAll(/[^a-z]+/g, '-'),
    message,
    transaction: level === 'SAFE' ? 'read' : 'write',
    recoverability: 'nothing-lost',
    targets: 'none',
    ...extras,
  }
}
