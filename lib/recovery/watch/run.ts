/** One look for direct sessions, and what of it is news. */
import { instantFrom, isBackstopError, jsonDigest, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, Database, RecordStore } from '#lib/ports/index.ts'
import { findDirectSessions } from './find-sessions.ts'
import type { DirectSession, WatchReport, WatchSettings } from './model.ts'
import { buildFindings, judgePosture } from './plan.ts'

export interface WatchPorts {
  readonly database: Database
  readonly records: RecordStore
  readonly clock: Clock
}

const PARTITION = 'recovery-watch'
const DEFAULT_REPEAT_MS = 60 * MINUTE_MS

/** A session that lasts longer is counted once more: better than one record for each for ever. */
const SESSION_MS = 24 * 60 * MINUTE_MS

const sessionKey = ({ processId, since }: DirectSession): string => `session:${processId}:${since ?? ''}`

/**
 * Throws: `DATABASE_UNREACHABLE`, `METADATA_UNREACHABLE`
 */
export async function runWatch(ports: WatchPorts, settings: WatchSettings): Promise<WatchReport> {
  const looked = await ports.database.withSession((session) => findDirectSessions(session, settings))
  const findings = buildFindings(looked)
  const repeatAfterMs = settings.repeatAfterMs ?? DEFAULT_REPEAT_MS
  return {
    ...looked,
    findings,
    posture: judgePosture(looked),
    newSessions: await newOnes(ports, looked.sessions, SESSION_MS, sessionKey),
    news: await newOnes(ports, findings, repeatAfterMs, ({ dedupeKey }) => dedupeKey),
    newlySkipped: await newOnes(ports, looked.skipped, repeatAfterMs, (one) => `skipped:${jsonDigest({ ...one })}`),
  }
}

async function newOnes<T>(
  ports: WatchPorts,
  all: readonly T[],
  repeatAfterMs: number,
  keyOf: (one: T) => string,
): Promise<readonly T[]> {
  const news: T[] = []
  for (const one of all) if (await isNews(ports, keyOf(one), repeatAfterMs)) news.push(one)
  return news
}

/** Of several that look at the same time one tells. */
async function isNews({ records, clock }: WatchPorts, key: string, repeatAfterMs: number): Promise<boolean> {
  const nowMs = clock.nowMs()
  const expiresAtS = Math.floor((nowMs + repeatAfterMs) / SECOND_MS)
  const record = { key: { partition: PARTITION, sort: key }, body: { toldAt: instantFrom(nowMs) }, expiresAtS }
  try {
    await records.write({ kind: 'create', record })
    return true
  } catch (error) {
    if (isBackstopError(error, 'RECORD_EXISTS')) return false
    throw error
  }
}
