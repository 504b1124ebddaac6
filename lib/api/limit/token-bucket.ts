/** Rate limits: one bucket of tokens per key, refilled at a steady rate. */

export interface BucketLimit {
  readonly perSecond: number
  /** Most that may be spent at once. */
  readonly burst: number
}

export type Spending = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number }

interface Bucket {
  level: number
  filledAtMs: number
}

/**
 * A bucket per key; the keys used least recently are forgotten beyond `maxKeys`, so that memory stays bounded.
 *
 * Units: `nowMs` from a clock that never goes back
 */
export class TokenBuckets {
  readonly #limit: BucketLimit
  readonly #maxKeys: number
  readonly #buckets = new Map<string, Bucket>()

  /** Throws `RangeError` unless the limit lets something through. */
  constructor(limit: BucketLimit, maxKeys: number) {
    if (!(limit.perSecond > 0 && limit.burst >= 1))
      throw new RangeError('a bucket needs a rate above 0 and a burst of at least 1')
    this.#limit = limit
    this.#maxKeys = maxKeys
  }

  get keyCount(): number {
    return this.#buckets.size
  }

  spend(key: string, nowMs: number): Spending {
    const bucket = this.#touch(key, nowMs)
    const refill = ((nowMs - bucket.filledAtMs) / 1_000) * this.#limit.perSecond
    bucket.level = Math.min(this.#limit.burst, bucket.level + refill)
    bucket.filledAtMs = nowMs
    if (bucket.level < 1) {
      return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil((1 - bucket.level) / this.#limit.perSecond)) }
    }
    bucket.level -= 1
    return { ok: true }
  }

  /** The key's bucket, moved to the end of the order of use. */
  #touch(key: string, nowMs: number): Bucket {
    const bucket = this.#buckets.get(key) ?? { level: this.#limit.burst, filledAtMs: nowMs }
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#maxKeys) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    return bucket
  }
}
