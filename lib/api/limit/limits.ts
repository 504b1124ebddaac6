/** The limits of one running API: rate and running requests per principal, waiting requests, failed authentications. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import { addressKey } from './address-key.ts'
import type { SlotLimit } from './slots.ts'
import { Slots } from './slots.ts'
import type { BucketLimit, Spending } from './token-bucket.ts'
import { TokenBuckets } from './token-bucket.ts'

export interface LimitSettings {
  /** Requests per principal; each member of a batch counts. */
  readonly rate: BucketLimit
  /** Statements of agents that run. */
  readonly statements: SlotLimit
  /** All other requests that run: agents can never keep an operator from the pause or an approval. */
  readonly operations: SlotLimit
  /** Requests that wait for a decision: they hold no running slot. */
  readonly waiting: SlotLimit
  /** Failed authentications per remote address. A valid token always passes. */
  readonly failures: BucketLimit
}

export const DEFAULT_LIMITS: LimitSettings = {
  rate: { perSecond: 1_000, burst: 2_000 },
  statements: { total: 256, perKey: 64 },
  operations: { total: 64, perKey: 32 },
  waiting: { total: 200, perKey: 20 },
  failures: { perSecond: 1, burst: 20 },
}

const MAX_KEYS = 10_000

export type RequestKind = 'statement' | 'operation'

/** One running request's hold on the limits. */
export interface Permit {
  /** Count one more request against the rate. Throws RATE_LIMITED. */
  spend(): void
  /**
   * Do `wait` without a running slot. Undefined when too many wait already; then it was not called.
   * The running slot is back when it resolves.
   */
  whileWaiting<T>(wait: () => Promise<T>): Promise<T | undefined>
  release(): void
}

export interface Limits {
  /** Throws RATE_LIMITED (details: retryAfterSeconds). */
  enter(principal: string, kind: RequestKind): Permit
  noteFailure(remoteAddress: string): Spending
}

function limited(message: string, retryAfterSeconds: number): BackstopError {
  return new BackstopError('RATE_LIMITED', message, { details: { retryAfterSeconds } })
}

export function createLimits(settings: LimitSettings, clock: Clock): Limits {
  const rate = new TokenBuckets(settings.rate, MAX_KEYS)
  const failures = new TokenBuckets(settings.failures, MAX_KEYS)
  const pools = { statement: new Slots(settings.statements), operation: new Slots(settings.operations) }
  const waiting = new Slots(settings.waiting)
  const spendRate = (principal: string): void => {
    const spending = rate.spend(principal, clock.monotonicMs())
    if (!spending.ok) throw limited('too many requests', spending.retryAfterSeconds)
  }
  return {
    enter(principal, kind) {
      const running = pools[kind]
      spendRate(principal)
      if (!running.tryTake(principal)) throw limited('too many concurrent requests', 1)
      return {
        spend: () => spendRate(principal),
        async whileWaiting(wait) {
          if (!waiting.tryTake(principal)) return undefined
          running.release(principal)
          try {
            return await wait()
          } finally {
            running.take(principal)
            waiting.release(principal)
          }
        },
        release: () => running.release(principal),
      }
    },
    noteFailure: (remoteAddress) => failures.spend(addressKey(remoteAddress), clock.monotonicMs()),
  }
}
