/** Puts several operations into one commit, so that they share one fsync. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { asFailure } from './failure.ts'
import type { Operation, Outcome } from './model.ts'
import { OperationApplier } from './operation.ts'

/** Bounds how long a commit keeps others waiting. */
export const MAX_OPERATIONS_PER_COMMIT = 512

export class CommitGroup {
  readonly #database: DatabaseSync
  readonly #operations: OperationApplier
  readonly #begin: StatementSync
  readonly #end: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#operations = new OperationApplier(database)
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#end = database.prepare('COMMIT')
  }

  /** One outcome for each operation, in their order; when it returns, they are on disk. Never throws. */
  commit(operations: readonly Operation[]): readonly Outcome[] {
    try {
      this.#begin.run()
      const outcomes = operations.map((operation) => this.#apply(operation))
      this.#end.run()
      return outcomes
    } catch (error) {
      this.#rollBack()
      const failure = asFailure(error)
      return operations.map(() => failure)
    }
  }

  /** After a full disk or an I/O error SQLite has already rolled everything back: then nobody's operation stands. */
  #apply(operation: Operation): Outcome {
    try {
      return this.#operations.apply(operation)
    } catch (error) {
      if (!this.#database.isTransaction) throw error
      return asFailure(error)
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      // The next BEGIN fails too and tells its callers.
    }
  }
}
