/** Work that goes on after its caller was answered: bounded, and waited for at the end. */
const MOST_WAITING = 1_000

export class Backlog {
  readonly #waiting = new Set<Promise<void>>()

  /** Take work that never rejects. */
  add(work: Promise<void>): Promise<void> {
    this.#waiting.add(work)
    return work.finally(() => this.#waiting.delete(work))
  }

  /** True: whoever adds has to wait. */
  get isFull(): boolean {
    return this.#waiting.size > MOST_WAITING
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.all(this.#waiting)
  }
}
