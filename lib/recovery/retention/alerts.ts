/** What operators are to be told about a run of retention. */
import type { RecoveryAlert } from '../alert.ts'
import type { RetentionReport } from './model.ts'

/** One for all refusals, and one while nothing may be removed at all; nothing for a run that did its work. */
export function retentionAlerts({ failed, skipped }: RetentionReport): readonly RecoveryAlert[] {
  const halted = skipped.find(({ subject }) => subject === EVERY_REMOVAL)
  return [
    ...(failed.length === 0 ? [] : [refusedAlert(failed)]),
    ...(halted === undefined || halted.reason === RUN_IN_HAND ? [] : [haltedAlert(halted.reason)]),
  ]
}

export const EVERY_REMOVAL = 'every removal'
export const RUN_IN_HAND = 'another run of retention is at it'

function refusedAlert(failed: RetentionReport['failed']): RecoveryAlert {
  return {
    severity: 'warning',
    eventType: 'retention_failed',
    title: `${failed.length} objects past their time could not be removed`,
    recommendedAction:
      'Look at the first reason: a locked object goes when its lock is over, a missing right must be granted (s3:DeleteObject on snapshots/ and sets/). Nothing is lost; the next run tries again.',
    facts: { failed: failed.length, first: failed[0]?.subject ?? '', reason: failed[0]?.reason ?? '' },
    dedupeKey: 'retention:failed',
  }
}

function haltedAlert(reason: string): RecoveryAlert {
  return {
    severity: 'warning',
    eventType: 'retention_halted',
    title: 'Retention removes nothing',
    recommendedAction:
      'Look at the reason. Where the clock is right, "backstop snapshots prune --trust-clock" goes on at once; otherwise it goes on by itself.',
    facts: { reason },
    dedupeKey: 'retention:halted',
  }
}
