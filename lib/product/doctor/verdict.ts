/** Puts the reports of all checks together into one word. Pure. */
import type { CheckReport, Verdict } from './model.ts'

/**
 * `not_ready`: something failed. `degraded`: something is less than it should be, or could have been looked at and was not.
 * `ready`: everything was looked at, apart from what does not apply.
 */
export function judgeLaunch(checks: readonly CheckReport[]): Verdict {
  if (checks.some(({ status }) => status === 'failed')) return 'not_ready'
  const isOpen = ({ status, skipped }: CheckReport) => status === 'degraded' || skipped.some((one) => one.isOpen)
  return checks.some(isOpen) || checks.length === 0 ? 'degraded' : 'ready'
}
