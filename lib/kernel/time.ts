/** Instants are ISO-8601 UTC strings with milliseconds at every boundary, epoch milliseconds inside. */
export type Instant = string & { readonly __brand: 'Instant' }

export function instantFrom(epochMs: number): Instant {
  return new Date(epochMs).toISOString() as Instant
}

export function epochMsOf(instant: Instant): number {
  return Date.parse(instant)
}

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
