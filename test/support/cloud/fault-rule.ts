/** Which calls a fault falls on. */
import type { AwsCall } from './fault-call.ts'

export type Fault =
  /** The service's own throttling error; nothing reaches the service. */
  | { readonly kind: 'throttle' }
  /**
   * Any other error of the service, in its own format, such as 500 `InternalServerError`; nothing reaches the service.
   * `fields`: further members of a JSON error, such as `CancellationReasons`.
   */
  | { readonly kind: 'error'; readonly status: number; readonly name: string; readonly fields?: object }
  /** The connection breaks before the service has seen the request. */
  | { readonly kind: 'reset-before' }
  /** The service handles the request; the connection breaks instead of its answer. */
  | { readonly kind: 'reset-after' }
  /** The service handles the request at once; its answer comes `delayMs` later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The service sees the request only `delayMs` later, be the client still there or not. */
  | { readonly kind: 'delay-before'; readonly delayMs: number }
  /** The service sees the request only after `until` is settled, be the client still there or not. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Nothing reaches the service and nothing is ever answered. */
  | { readonly kind: 'hang' }
  /** The service handles the request; its answer breaks off after `keepBytes` of the body (half of it when absent). */
  | { readonly kind: 'truncate'; readonly keepBytes?: number }
  /** The same, but the connection stays open and silent. */
  | { readonly kind: 'stall'; readonly keepBytes?: number }

export interface FaultRule {
  /** Absent: any. */
  readonly service?: string
  /** A name exactly, or a pattern, as for S3: `/^PUT \/bucket\//`. Absent: any. */
  readonly operation?: string | RegExp
  /** Which of the matching calls, counted from 1. Absent: all. */
  readonly on?: readonly number[]
  /** Of the calls that are left, by the proxy's seed. Absent: 1. */
  readonly probability?: number
  readonly fault: Fault
}

/** One rule with its count of matching calls. */
export class ArmedRule {
  readonly rule: FaultRule
  readonly #random: () => number
  #matching = 0

  constructor(rule: FaultRule, random: () => number) {
    this.rule = rule
    this.#random = random
  }

  falls(call: AwsCall): boolean {
    if (!matches(this.rule, call)) return false
    this.#matching++
    if (this.rule.on !== undefined && !this.rule.on.includes(this.#matching)) return false
    return this.rule.probability === undefined || this.#random() < this.rule.probability
  }
}

function matches({ service, operation }: FaultRule, call: AwsCall): boolean {
  if (service !== undefined && service !== call.service) return false
  if (operation === undefined) return true
  return typeof operation === 'string' ? operation === call.operation : operation.test(call.operation)
}

/** Mulberry32: the same numbers for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
