/** What the model of scale-model.ts is made of: an ordered queue of events and a token bucket, both in simulated time. */

type Event = (nowMs: number) => void

interface Entry {
  readonly atMs: number
  readonly order: number
  readonly run: Event
}

/** A binary heap by time; equal times in the order they were added. */
export class EventQueue {
  readonly #heap: Entry[] = []
  #added = 0

  at(atMs: number, run: Event): void {
    this.#heap.push({ atMs, order: this.#added++, run })
    let child = this.#heap.length - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!this.#isBefore(child, parent)) break
      this.#swap(child, parent)
      child = parent
    }
  }

  runUntil(endMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#removeFirst()
      next.run(next.atMs)
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    for (let parent = 0; ; ) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2]
      let first = parent
      if (left < this.#heap.length && this.#isBefore(left, first)) first = left
      if (right < this.#heap.length && this.#isBefore(right, first)) first = right
      if (first === parent) return
      this.#swap(parent, first)
      parent = first
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]] as const
    if (a === undefined || b === undefined) return false
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
  }

  #swap(left: number, right: number): void {
    const kept = this.#heap[left] as Entry
    this.#heap[left] = this.#heap[right] as Entry
    this.#heap[right] = kept
  }
}

/** Full at the start; holds what one second brings when no burst is given. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #atMs = 0

  constructor(perSecond: number, burst = perSecond) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
  }

  has(nowMs: number, count: number): boolean {
    const passedMs = Math.max(0, nowMs - this.#atMs)
    this.#tokens = Math.min(this.#burst, this.#tokens + (passedMs / 1_000) * this.#perSecond)
    this.#atMs = Math.max(this.#atMs, nowMs)
    return this.#tokens >= count
  }

  take(nowMs: number, count: number): boolean {
    if (!this.has(nowMs, count)) return false
    this.#tokens -= count
    return true
  }
}
