/** Events newest first, merged from the shards of each day. */
import type { AuditId, Instant, JsonValue } from '#lib/kernel/index.ts'
import { epochMsOf, instantFrom } from '#lib/kernel/index.ts'
import type { Clock, RecordStore, StoredRecord } from '#lib/ports/index.ts'
import { decodeCursor, encodeCursor } from '#lib/ports/index.ts'
import type { Beginning } from './entry.ts'
import { dayOf, decodeEntryRecord, findEntry, readEvent, TIMELINE_SHARDS, timelinePartition } from './entry.ts'
import type { AuditEvent, AuditFilter, AuditPage } from './model.ts'
import { mapInGroups, readPages } from './pages.ts'

export interface TimelinePorts {
  readonly records: RecordStore
  readonly clock: Clock
  readonly retentionDays: number
}

const DAY_MS = 86_400_000
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 500
/** A page looks at no more events than this, however few of them the filter lets through. */
const MAX_EXAMINED = 5_000

/** A page of events. Throws CURSOR_INVALID. */
export async function listEvents(ports: TimelinePorts, filter: AuditFilter): Promise<AuditPage> {
  const listing = listingOf(filter)
  const before = filter.cursor === undefined ? undefined : decodeCursor(listing, filter.cursor, 1)[0]
  const limit = Math.min(Math.max(filter.limit ?? DEFAULT_LIMIT, 1), MAX_LIMIT)
  const found: Beginning[] = []
  let examined = 0
  let last = ''
  let cursor: string | undefined
  for await (const beginning of walkBack(ports, filter, before)) {
    if (found.length === limit || examined === MAX_EXAMINED) {
      cursor = encodeCursor(listing, [last])
      break
    }
    examined++
    last = positionOf(beginning)
    if (matches(beginning, filter)) found.push(beginning)
  }
  const events = await mapInGroups(found, (beginning) => joinResult(ports.records, beginning))
  return { events, ...(cursor !== undefined && { cursor }) }
}

function listingOf({ agentId, risk, principal, from, to }: AuditFilter): (JsonValue | undefined)[] {
  return ['audit', agentId, risk, principal, from, to]
}

const positionOf = ({ at, id }: Beginning): string => `${at}#${id}`

function matches({ intent }: Beginning, { agentId, risk, principal }: AuditFilter): boolean {
  return (
    (agentId === undefined || intent.agentId === agentId) &&
    (risk === undefined || intent.riskLevel === risk) &&
    (principal === undefined || intent.principal === principal)
  )
}

/** Every beginning that the record store still holds, newest first, strictly before a position. */
export async function* walkBack(
  ports: TimelinePorts,
  span: { readonly from?: Instant; readonly to?: Instant } = {},
  before?: string,
): AsyncGenerator<Beginning, void> {
  const nowMs = ports.clock.nowMs()
  const oldest = instantFrom(nowMs - (ports.retentionDays + 2) * DAY_MS)
  const newest = instantFrom(nowMs + DAY_MS)
  const from = span.from !== undefined && span.from > oldest ? span.from : oldest
  const to = span.to !== undefined && span.to < newest ? span.to : newest
  const sortTo = before ?? `${to}#~`
  const firstDayMs = startOfDayMs(from)
  for (let dayMs = startOfDayMs(sortTo); dayMs >= firstDayMs; dayMs -= DAY_MS) {
    for await (const beginning of walkDay(ports.records, dayOf(instantFrom(dayMs)), `${from}#`, sortTo)) {
      if (positionOf(beginning) !== before) yield beginning
    }
  }
}

function startOfDayMs(text: string): number {
  return epochMsOf(`${text.slice(0, 10)}T00:00:00.000Z` as Instant)
}

/** Merge the shards of one day: of the next record of each, the newest goes first. */
async function* walkDay(
  records: RecordStore,
  day: string,
  sortFrom: string,
  sortTo: string,
): AsyncGenerator<Beginning, void> {
  const range = { index: 'index1', sortFrom, sortTo, descending: true } as const
  const walks = TIMELINE_SHARDS.map((shard) =>
    readPages(records, { partition: timelinePartition(day, shard), ...range }),
  )
  const heads = await Promise.all(walks.map(nextOf))
  for (;;) {
    const newest = indexOfNewest(heads)
    const head = heads[newest]
    if (head === undefined) return
    yield decodeEntryRecord(head).entry as Beginning
    heads[newest] = await nextOf(walks[newest] as AsyncGenerator<StoredRecord, void>)
  }
}

async function nextOf(walk: AsyncGenerator<StoredRecord, void>): Promise<StoredRecord | undefined> {
  const next = await walk.next()
  return next.done ? undefined : next.value
}

function indexOfNewest(heads: readonly (StoredRecord | undefined)[]): number {
  const sorts = heads.map((head) => head?.indexes?.index1?.sort ?? '')
  return sorts.reduce((newest, sort, n) => (sort > (sorts[newest] as string) ? n : newest), 0)
}

/** One event with its result. */
export async function findEvent(records: RecordStore, id: AuditId): Promise<AuditEvent | undefined> {
  const beginning = (await findEntry(records, { id, kind: 'intent' }))?.entry
  if (beginning?.kind !== 'intent' && beginning?.kind !== 'event') return undefined
  return joinResult(records, beginning)
}

async function joinResult(records: RecordStore, beginning: Beginning): Promise<AuditEvent> {
  const { id, at, environment, intent } = beginning
  const event = { id, at, environment, intent }
  if (beginning.kind === 'event') return { ...event, result: beginning.result, finishedAt: at }
  const entries = (await readEvent(records, id)).map((stored) => stored.entry)
  const end = entries.find((entry) => entry.kind === 'late-result') ?? entries.find((entry) => entry.kind === 'result')
  return end === undefined || end.kind === 'intent' ? event : { ...event, result: end.result, finishedAt: end.at }
}
