/** What is asked of the one connection that writes, and what it answers: plain data, so that it can pass between threads. */
import type { ErrorCode, ErrorDetails } from '#lib/kernel/index.ts'
import type { RecordWrite } from '#lib/ports/index.ts'

/** A write as the values of its row. */
export interface EncodedWrite {
  readonly kind: RecordWrite['kind']
  readonly partition: string
  readonly sort: string
  /** 0 for a `create`. */
  readonly expectedVersion: number
  /** JSON; empty for a `delete` and a `check`. */
  readonly bodyText: string
  /** Expiry in epoch seconds, then both index keys' parts. */
  readonly tail: readonly (string | number | null)[]
}

export interface TransactionToken {
  readonly token: string
  readonly writesSha256: string
}

/** `nowS`: epoch seconds by the store's clock when it was asked. */
export type Operation =
  | { readonly kind: 'write'; readonly write: EncodedWrite; readonly nowS: number }
  | {
      readonly kind: 'transact'
      readonly writes: readonly EncodedWrite[]
      readonly once: TransactionToken | undefined
      readonly nowS: number
    }
  | { readonly kind: 'sweep'; readonly limit: number; readonly nowS: number }

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
}

/** A number stands for success: the new version of a `write`, 0 of a `transact`, how many a `sweep` removed. */
export type Outcome = number | Failure

/** The connection that writes, on this thread or on its own. */
export interface Writer {
  /** Resolves when the operation is durable, in the order of submission. Throws METADATA_UNREACHABLE when too many wait. */
  submit(operation: Operation): Promise<number>
  /** Throws METADATA_UNREACHABLE when the writer has ended. */
  assertAlive(): void
  /** Finishes what was submitted. Idempotent. */
  close(): Promise<void>
}
