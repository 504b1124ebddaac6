/** Why DynamoDB cancelled a transaction, write by write. */

/** `busy`: another transaction held the item, or its partition was throttled; the same transaction may pass later. */
export type CancellationReason = 'none' | 'condition' | 'busy' | 'other'

const REASONS: Readonly<Record<string, CancellationReason>> = {
  None: 'none',
  ConditionalCheckFailed: 'condition',
  TransactionConflict: 'busy',
  ThrottlingError: 'busy',
  ProvisionedThroughputExceeded: 'busy',
}

/** In the order of the writes; undefined when the error is no cancellation. */
export function cancellationReasons(error: unknown): readonly CancellationReason[] | undefined {
  const { name, CancellationReasons } = (error ?? {}) as {
    name?: unknown
    CancellationReasons?: readonly { readonly Code?: string }[]
  }
  if (name !== 'TransactionCanceledException') return undefined
  return (CancellationReasons ?? []).map(({ Code = 'None' }) => REASONS[Code] ?? 'other')
}
