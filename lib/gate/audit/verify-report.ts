/** What verification looked at, what it found, and heads that are kept outside. */
import type { Sha256Hex } from '#lib/kernel/index.ts'
import type { LedgerHead } from './model.ts'

/** A head that was kept outside. */
export interface LedgerAnchor {
  readonly number: number
  readonly sha256: Sha256Hex
}

export type LedgerProblemCode =
  | 'segment-missing'
  | 'segment-malformed'
  | 'segment-unexpected'
  | 'link-broken'
  | 'environment-differs'
  | 'head-missing'
  | 'head-behind'
  | 'head-differs'
  | 'anchor-differs'
  | 'entry-duplicate'
  | 'entry-differs'
  | 'entry-lost'
  | 'entry-unmarked'
  | 'entry-not-sealed'
  | 'result-without-intent'

export interface LedgerProblem {
  readonly code: LedgerProblemCode
  /** `segment 12`, `entry aud_…#result`, `head`. */
  readonly subject: string
  readonly message: string
}

export interface VerifyReport {
  readonly ok: boolean
  readonly checked: {
    readonly segments: number
    readonly entries: number
    /** Sealed entries that were compared with the record store's copy. */
    readonly copies: number
    /** In the record store alone: younger than the newest segment. */
    readonly unsealed: number
    /** Events without a result, in flight or cut short by a crash. */
    readonly open: number
    readonly anchors: number
  }
  readonly head: LedgerHead
  readonly problems: readonly LedgerProblem[]
  readonly skipped: readonly { readonly subject: string; readonly reason: string }[]
}

/** The head as one text to keep elsewhere: `12:ab34…`. */
export function formatAnchor(anchor: LedgerAnchor): string {
  return `${anchor.number}:${anchor.sha256}`
}

/** Undefined when the text is no anchor. */
export function parseAnchor(text: string): LedgerAnchor | undefined {
  const match = /^([1-9]\d{0,11}):([0-9a-f]{64})$/.exec(text.trim().toLowerCase())
  return match ? { number: Number(match[1]), sha256: match[2] as Sha256Hex } : undefined
}
