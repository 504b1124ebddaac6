/** One operation inside an open transaction. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { WriteApplier } from './apply.ts'
import type { Operation } from './model.ts'
import { TransactionApplier } from './transaction.ts'

export class OperationApplier {
  readonly #writes: WriteApplier
  readonly #transactions: TransactionApplier
  readonly #sweepTokens: StatementSync
  readonly #sweepRecords: StatementSync

  constructor(database: DatabaseSync) {
    this.#writes = new WriteApplier(database)
    this.#transactions = new TransactionApplier(database, this.#writes)
    this.#sweepTokens = database.prepare('DELETE FROM transaction_token WHERE expires_at_s <= ?')
    const expired = 'SELECT id FROM record WHERE expires_at_s <= ? LIMIT ?'
    this.#sweepRecords = database.prepare(`DELETE FROM record WHERE id IN (${expired})`)
  }

  /** Changes nothing when it throws. Throws RECORD_EXISTS, RECORD_CHANGED, RECORD_INVALID. */
  apply(operation: Operation): number {
    switch (operation.kind) {
      case 'write':
        return this.#writes.apply(operation.write, operation.nowS)
      case 'transact':
        this.#transactions.apply(operation.writes, operation.once, operation.nowS)
        return 0
      case 'sweep':
        this.#sweepTokens.run(operation.nowS)
        return Number(this.#sweepRecords.run(operation.nowS, operation.limit).changes)
    }
  }
}
