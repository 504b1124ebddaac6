/** Keeps the tallies in the record store, one record per authenticated principal. */
import { instantFrom, retryConflicts, SECOND_MS, sha256Hex } from '#lib/kernel/index.ts'
import type { Clock, RecordStore, RecordWrite, StoredRecord } from '#lib/ports/index.ts'
import type { Policy } from '../policy/index.ts'
import type { ConductLimits, Tally } from './count.ts'
import { countAttempt, isQuarantined } from './count.ts'
import type { ConductWatch, Quarantine } from './model.ts'

export interface ConductWatchOptions {
  readonly store: RecordStore
  readonly clock: Clock
  /** The limits of the policy in force, asked at every attempt. */
  limits(): ConductLimits
}

const PARTITION = 'conduct'
const MAX_AGENT_ID_LENGTH = 200

/** The body of a record; a type, not an interface, so that it is a JSON object. */
type TallyBody = Tally & { readonly principal: string; readonly lastAgentId?: string; readonly releasedBy?: string }

/** The policy's fields as limits. */
export function conductLimitsOf(policy: Policy): ConductLimits {
  return {
    maxAttempts: policy.max_blocked_attempts_per_window,
    windowMs: policy.dangerous_retry_window_seconds * SECOND_MS,
    quarantineMs: policy.quarantine_duration_seconds * SECOND_MS,
  }
}

/** Watch the principals. Several instances may work on one store; no attempt is lost between them. */
export function openConductWatch(options: ConductWatchOptions): ConductWatch {
  return {
    async findQuarantine(principal) {
      const record = await options.store.find(keyOf(principal))
      return record === undefined ? undefined : quarantineOf(record, options.clock.nowMs())
    },
    noteAttempt: (principal, agentId) => noteAttempt(options, principal, agentId),
    release: (principal, by) => release(options, principal, by),
    list: () => listQuarantines(options),
  }
}

function keyOf(principal: string) {
  return { partition: PARTITION, sort: sha256Hex(principal) }
}

function noteAttempt(
  { store, clock, limits }: ConductWatchOptions,
  principal: string,
  agentId: string,
): Promise<Quarantine | undefined> {
  return retryConflicts(async () => {
    const record = await store.find(keyOf(principal))
    const nowMs = clock.nowMs()
    const counted = countAttempt(record === undefined ? undefined : bodyOf(record), limits(), nowMs)
    if (counted.outcome === 'ignored') return undefined
    const body: TallyBody = { ...counted.tally, principal, lastAgentId: agentId.slice(0, MAX_AGENT_ID_LENGTH) }
    await store.write(writeOf(body, record?.version))
    return counted.outcome === 'quarantined' ? describe(body) : undefined
  })
}

/** The record stays, emptied: a deleted one would come again with a version that a late writer may still expect. */
function release({ store, clock }: ConductWatchOptions, principal: string, by: string): Promise<void> {
  return retryConflicts(async () => {
    const record = await store.find(keyOf(principal))
    if (record === undefined || bodyOf(record).attempts === 0) return
    const body = { principal, windowStartedAtMs: clock.nowMs(), attempts: 0, releasedBy: by }
    await store.write(writeOf(body, record.version))
  })
}

async function listQuarantines({ store, clock }: ConductWatchOptions): Promise<readonly Quarantine[]> {
  const quarantines: Quarantine[] = []
  let cursor: string | undefined
  do {
    const page = await store.query({ partition: PARTITION, ...(cursor === undefined ? {} : { cursor }) })
    const nowMs = clock.nowMs()
    quarantines.push(...page.records.flatMap((record) => quarantineOf(record, nowMs) ?? []))
    cursor = page.cursor
  } while (cursor !== undefined)
  return quarantines.sort((left, right) => (left.since < right.since ? -1 : 1))
}

function writeOf(body: TallyBody, version: number | undefined): RecordWrite {
  const record = { key: keyOf(body.principal), body: { ...body } }
  return version === undefined ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion: version }
}

function bodyOf(record: StoredRecord): TallyBody {
  return record.body as unknown as TallyBody
}

function quarantineOf(record: StoredRecord, nowMs: number): Quarantine | undefined {
  const body = bodyOf(record)
  return isQuarantined(body, nowMs) ? describe(body) : undefined
}

function describe({ principal, attempts, lastAgentId, ...times }: TallyBody): Quarantine {
  return {
    principal,
    attempts,
    since: instantFrom(times.quarantinedAtMs ?? times.windowStartedAtMs),
    until: instantFrom(times.quarantinedUntilMs ?? times.windowStartedAtMs),
    ...(lastAgentId === undefined ? {} : { lastAgentId }),
  }
}
