/** Decides for the points of one table what the policy alone keeps of them. */
import { epochMsOf, MINUTE_MS } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { isTrusted } from './age.ts'
import type { BucketKind } from './bucket.ts'
import { bucketsUntil } from './bucket.ts'
import type { KeepReason, RetentionPolicy } from './model.ts'

const DAY_MS = 24 * 60 * MINUTE_MS
/** Longer than between choosing a point and saying so: by an approval, or by a restore. */
export const RECENT_MS = 60 * MINUTE_MS

type Keep = (point: RecoveryPoint, because: KeepReason) => void

/** A sound point and the time that it stands for: from its capture to the last proof that the table was still so. */
interface Standing {
  readonly point: RecoveryPoint
  readonly fromMs: number
  readonly toMs: number
}

/** `points` of one table, newest first. */
export function judgeTable(points: readonly RecoveryPoint[], policy: RetentionPolicy, nowMs: number, keep: Keep): void {
  if (keepsEverything(policy)) for (const point of points) keepUnlessRetired(point, keep)
  const trusted = points.filter(({ capturedAt }) => isTrusted(capturedAt, nowMs))
  for (const point of points) if (!isTrusted(point.capturedAt, nowMs)) keepUnlessRetired(point, keep, 'age-unknown')
  const sound = trusted.filter(({ status }) => status === 'valid').map((point) => standingOf(point, nowMs))
  keepByCount(sound, policy, keep)
  keepByTime(sound, policy, nowMs, keep)
  keepBuckets(sound, policy, nowMs, keep)
  keepSetAside(
    trusted,
    points.some(({ status }) => status === 'valid'),
    policy,
    nowMs,
    keep,
  )
}

export function keepsEverything(policy: RetentionPolicy): boolean {
  const { keepLast, keepDays, keepHourly, keepDaily, keepWeekly, keepMonthly } = policy
  return keepLast + keepDays + keepHourly + keepDaily + keepWeekly + keepMonthly === 0
}

/** What was begun to be removed may be half gone. */
function keepUnlessRetired(point: RecoveryPoint, keep: Keep, because: KeepReason = 'retention-off'): void {
  if (point.status !== 'retired') keep(point, because)
}

/** A confirmation that a wrong clock has dated counts for nothing. */
function standingOf(point: RecoveryPoint, nowMs: number): Standing {
  const fromMs = epochMsOf(point.capturedAt)
  const { confirmedAt } = point
  const isProven = confirmedAt !== undefined && isTrusted(confirmedAt, nowMs)
  return { point, fromMs, toMs: isProven ? Math.max(fromMs, epochMsOf(confirmedAt)) : fromMs }
}

function keepByCount(sound: readonly Standing[], policy: RetentionPolicy, keep: Keep): void {
  for (const [index, { point }] of sound.entries()) {
    if (index === 0) keep(point, 'last-of-table')
    if (index < policy.keepLast) keep(point, 'keep-last')
  }
}

function keepByTime(sound: readonly Standing[], policy: RetentionPolicy, nowMs: number, keep: Keep): void {
  const { keepDays, finalDays } = policy
  for (const [index, { point, fromMs, toMs }] of sound.entries()) {
    const next = sound[index - 1]
    if (keepDays > 0 && toMs >= nowMs - keepDays * DAY_MS) keep(point, 'keep-days')
    if (Math.max(fromMs, next?.fromMs ?? 0) > nowMs - RECENT_MS) keep(point, 'recent')
    const isFinal = point.origin === 'final'
    if (isFinal && fromMs > nowMs - finalDays * DAY_MS) keep(point, 'final')
    const isReplaced = next !== undefined && next.point.relationOid !== point.relationOid
    if (isReplaced && next.fromMs > nowMs - finalDays * DAY_MS) keep(point, 'replaced-table')
  }
}

/** Of each bucket the newest point that stands for some of it. */
function keepBuckets(sound: readonly Standing[], policy: RetentionPolicy, nowMs: number, keep: Keep): void {
  const counts: Readonly<Record<BucketKind, number>> = {
    hourly: policy.keepHourly,
    daily: policy.keepDaily,
    weekly: policy.keepWeekly,
    monthly: policy.keepMonthly,
  }
  for (const kind of Object.keys(counts) as BucketKind[]) {
    for (const { startMs, endMs } of bucketsUntil(kind, counts[kind], nowMs)) {
      const newest = sound.find(({ fromMs, toMs }) => fromMs < endMs && toMs >= startMs)
      if (newest !== undefined) keep(newest.point, kind)
    }
  }
}

/** Where a table has no sound point at all, the newest of the others is the best that is left of it. */
function keepSetAside(
  trusted: readonly RecoveryPoint[],
  hasSound: boolean,
  policy: RetentionPolicy,
  nowMs: number,
  keep: Keep,
): void {
  const aside = trusted.filter(({ status }) => status === 'quarantined' || status === 'invalid')
  for (const [index, point] of aside.entries()) {
    if (index === 0 && !hasSound) keep(point, 'last-of-table')
    const sinceMs = sinceWhenMs(point, nowMs)
    if (policy.quarantineDays === 0 || sinceMs > nowMs - policy.quarantineDays * DAY_MS) keep(point, 'quarantined')
  }
}

function sinceWhenMs({ quarantinedAt, capturedAt }: RecoveryPoint, nowMs: number): number {
  const since = quarantinedAt ?? capturedAt
  return isTrusted(since, nowMs) ? epochMsOf(since) : nowMs
}
