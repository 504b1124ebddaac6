/** Concurrency limits: a number of slots in all, and a number of them per key. */

export interface SlotLimit {
  readonly total: number
  readonly perKey: number
}

export class Slots {
  readonly #limit: SlotLimit
  readonly #taken = new Map<string, number>()
  #total = 0

  constructor(limit: SlotLimit) {
    this.#limit = limit
  }

  get takenCount(): number {
    return this.#total
  }

  /** False: none is free for this key. */
  tryTake(key: string): boolean {
    const taken = this.#taken.get(key) ?? 0
    if (this.#total >= this.#limit.total || taken >= this.#limit.perKey) return false
    this.take(key)
    return true
  }

  /** Take one beyond the limit if need be: for work that had a slot before and comes back. */
  take(key: string): void {
    this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1)
    this.#total += 1
  }

  release(key: string): void {
    const taken = this.#taken.get(key) ?? 0
    if (taken === 0) throw new RangeError(`no slot of ${key} is taken`)
    if (taken === 1) this.#taken.delete(key)
    else this.#taken.set(key, taken - 1)
    this.#total -= 1
  }
}
