/** Tells when the date jumps: the age of points, the end of approvals and the date of a retention are judged by it. */
import { epochMsOf, instantFrom, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import type { Parts } from './model.ts'

/** Time servers put right less than this day by day. */
const SMALLEST_JUMP_MS = MINUTE_MS

type ClockParts = Pick<Parts, 'clock' | 'alerts' | 'log'> & {
  readonly recovery: Pick<Parts['recovery'], 'findHeartbeat'>
}

export interface ClockWatch {
  /** Resolves with the jump since the last look in milliseconds; 0: there was none. Throws METADATA_UNREACHABLE. */
  look(): Promise<number>
}

/** What has passed is known without the date; the first look compares with the last heartbeat, which cannot be in the future. */
export function openClockWatch(parts: ClockParts): ClockWatch {
  const { clock } = parts
  let last: { readonly dateMs: number; readonly passedMs: number } | undefined
  return {
    async look() {
      const now = { dateMs: clock.nowMs(), passedMs: clock.monotonicMs() }
      const jumpMs =
        last === undefined
          ? Math.min(0, now.dateMs - (await heartbeatMs(parts, now.dateMs)))
          : now.dateMs - last.dateMs - (now.passedMs - last.passedMs)
      last = now
      if (Math.abs(jumpMs) < SMALLEST_JUMP_MS) return 0
      await tell(parts, jumpMs, now.dateMs)
      return jumpMs
    },
  }
}

async function heartbeatMs({ recovery }: ClockParts, nowMs: number): Promise<number> {
  const heartbeat = await recovery.findHeartbeat()
  return heartbeat === undefined ? nowMs : epochMsOf(heartbeat.at)
}

async function tell({ alerts, log }: ClockParts, jumpMs: number, nowMs: number): Promise<void> {
  const seconds = Math.round(Math.abs(jumpMs) / SECOND_MS)
  const direction = jumpMs < 0 ? 'back' : 'forward'
  log('warning', 'clock_jumped', { direction, seconds })
  await alerts.raise({
    severity: 'warning',
    eventType: 'clock_jumped',
    title: `The clock of this machine jumped ${seconds} seconds ${direction}`,
    recommendedAction:
      'Check the time synchronisation of the machine, and whether it slept. Held statements may have expired early; retention removes nothing until it trusts the date.',
    facts: { direction, seconds, nowAt: instantFrom(nowMs) },
  })
}
