/** Hours, days, weeks and months in UTC, counted back from the one that holds an instant. */

export interface Bucket {
  readonly startMs: number
  /** Not in it any more. */
  readonly endMs: number
}

export type BucketKind = 'hourly' | 'daily' | 'weekly' | 'monthly'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS
/** 1970-01-01 was a Thursday: the first Monday before it. */
const FIRST_MONDAY_MS = -3 * DAY_MS
const MONTHS_A_YEAR = 12

/** The bucket that holds `nowMs`, and those before it: `count` in all, newest first. */
export function bucketsUntil(kind: BucketKind, count: number, nowMs: number): readonly Bucket[] {
  const startOf = STARTS[kind](nowMs)
  return Array.from({ length: count }, (_, back) => ({ startMs: startOf(-back), endMs: startOf(1 - back) }))
}

/** The start of the bucket so many away from the one of now. */
type StartOf = (offset: number) => number

const STARTS: Readonly<Record<BucketKind, (nowMs: number) => StartOf>> = {
  hourly: (nowMs) => even(nowMs, HOUR_MS, 0),
  daily: (nowMs) => even(nowMs, DAY_MS, 0),
  weekly: (nowMs) => even(nowMs, WEEK_MS, FIRST_MONDAY_MS),
  monthly: (nowMs) => {
    const now = new Date(nowMs)
    const month = now.getUTCFullYear() * MONTHS_A_YEAR + now.getUTCMonth()
    return (offset) => {
      const wanted = month + offset
      return Date.UTC(Math.floor(wanted / MONTHS_A_YEAR), wanted % MONTHS_A_YEAR)
    }
  },
}

function even(nowMs: number, lengthMs: number, originMs: number): StartOf {
  const index = Math.floor((nowMs - originMs) / lengthMs)
  return (offset) => originMs + (index + offset) * lengthMs
}
