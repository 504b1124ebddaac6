/** Operations and the callers who wait for them: sent once per turn of the event loop, answered in order, bounded. */
import { BackstopError } from '#lib/kernel/index.ts'
import { MAX_OPERATIONS_PER_COMMIT } from './commit-group.ts'
import { asError } from './failure.ts'
import type { Operation, Outcome } from './model.ts'

interface Caller {
  readonly resolve: (value: number) => void
  readonly reject: (error: BackstopError) => void
}

const MAX_WAITING = 10_000

export class Backlog {
  readonly #send: (operations: readonly Operation[]) => void
  readonly #callers: Caller[] = []
  #unsent: Operation[] = []
  #isScheduled = false
  #end: BackstopError | undefined

  constructor(send: (operations: readonly Operation[]) => void) {
    this.#send = send
  }

  get isEmpty(): boolean {
    return this.#callers.length === 0
  }

  /** Throws METADATA_UNREACHABLE when too many wait, or when the backlog has ended. */
  async add(operation: Operation): Promise<number> {
    this.assertOpen()
    if (this.#callers.length >= MAX_WAITING) {
      throw new BackstopError('METADATA_UNREACHABLE', `${MAX_WAITING} writes wait for the metadata store already`)
    }
    return await new Promise<number>((resolve, reject) => {
      this.#callers.push({ resolve, reject })
      this.#unsent.push(operation)
      this.#schedule()
    })
  }

  assertOpen(): void {
    if (this.#end) throw this.#end
  }

  /** Send everything that waits, now. */
  flush(): void {
    const unsent = this.#unsent
    this.#unsent = []
    for (let from = 0; from < unsent.length; from += MAX_OPERATIONS_PER_COMMIT) {
      this.#send(unsent.slice(from, from + MAX_OPERATIONS_PER_COMMIT))
    }
  }

  /** The outcomes of the operations that were sent first. */
  settle(outcomes: readonly Outcome[]): void {
    const callers = this.#callers.splice(0, outcomes.length)
    for (const [position, caller] of callers.entries()) {
      const outcome = outcomes[position] as Outcome
      if (typeof outcome === 'number') caller.resolve(outcome)
      else caller.reject(asError(outcome))
    }
  }

  /** Refuse what comes from now on; what was sent is still answered. */
  close(reason: BackstopError): void {
    this.#end ??= reason
  }

  /** Refuse everything, also what was sent: whether that is durable is not known. */
  fail(reason: BackstopError): void {
    this.close(reason)
    this.#unsent = []
    for (const caller of this.#callers.splice(0)) caller.reject(reason)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.flush()
    })
  }
}
