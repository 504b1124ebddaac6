/** Gathers the writes of one turn of the event loop into one commit, so that many share one fsync. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { asMetadataError } from './failure.ts'

interface Unit {
  readonly run: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: Error }

const MAX_UNITS_PER_COMMIT = 512

/**
 * Runs units of work inside shared transactions.
 *
 * Invariants: units run in the order they came; a unit resolves only after the commit that holds it is on disk
 * Refuses:    to undo a unit that failed half-way: a unit changes nothing when it throws
 */
export class CommitGroup {
  readonly #database: DatabaseSync
  readonly #begin: StatementSync
  readonly #end: StatementSync
  #units: Unit[] = []
  #isScheduled = false

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#end = database.prepare('COMMIT')
  }

  add<T>(run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#units.push({ run, resolve: resolve as (value: unknown) => void, reject })
      this.#schedule()
    })
  }

  /** Commit everything that waits, now. */
  flush(): void {
    while (this.#units.length > 0) this.#commitNext()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#commitNext()
      if (this.#units.length > 0) this.#schedule()
    })
  }

  #commitNext(): void {
    const units = this.#units.splice(0, MAX_UNITS_PER_COMMIT)
    if (units.length === 0) return
    const outcomes = this.#commit(units)
    for (const [position, unit] of units.entries()) {
      const outcome = outcomes[position] as Outcome
      if (outcome.ok) unit.resolve(outcome.value)
      else unit.reject(outcome.error)
    }
  }

  #commit(units: readonly Unit[]): readonly Outcome[] {
    try {
      this.#begin.run()
      const outcomes = units.map((unit) => this.#runUnit(unit))
      this.#end.run()
      return outcomes
    } catch (error) {
      this.#rollBack()
      const failure = asMetadataError(error)
      return units.map(() => ({ ok: false, error: failure }))
    }
  }

  /** After a full disk or an I/O error SQLite has already rolled everything back: then nobody's unit stands. */
  #runUnit(unit: Unit): Outcome {
    try {
      return { ok: true, value: unit.run() }
    } catch (error) {
      if (!this.#database.isTransaction) throw error
      return { ok: false, error: asMetadataError(error) }
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
