/**
 * Turns what is not sealed yet into the next segment.
 *
 * The order makes a kill at any point harmless: the segment is written, then its entries are marked, then the head moves, then
 * it is anchored. Whoever comes next finds a segment beyond the head and completes it before anything else. No entry is
 * gathered twice, because all entries of the segments up to the head are marked before the head moves, and the segment after
 * it can be written once only.
 */
import type { Instant } from '#lib/kernel/index.ts'
import { BackstopError, epochMsOf, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, ObjectStore, RecordStore } from '#lib/ports/index.ts'
import type { StoredEntry } from './entry.ts'
import { buildSealedRecord, decodeEntryRecord, entryText, findEntry, SHARDS, unsealedPartition } from './entry.ts'
import type { StoredHead } from './head.ts'
import { readHead, writeHead } from './head.ts'
import type { AnchorHead, AuditEntry, LedgerHead, SealReport } from './model.ts'
import { groupsOf, mapInGroups, readPages } from './pages.ts'
import type { Segment } from './segment.ts'
import { encodeSegment, segmentKey } from './segment.ts'
import { findSegment } from './store-segment.ts'

export interface SealPorts {
  readonly records: RecordStore
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly environment: string
  readonly retentionDays: number
  readonly maxSegmentEntries: number
  readonly anchor?: AnchorHead
}

const DAY_MS = 86_400_000
const HEAD_ATTEMPTS = 20
/** Transactions in flight while a segment's entries are marked: over a network one after the other would be too slow. */
const MARKING_LANES = 4

export async function sealDue(ports: SealPorts): Promise<SealReport> {
  let stored = await readHead(ports.records)
  const completed: Segment[] = []
  for (let isMore = true; isMore; ) {
    const begun = await findSegment(ports.objects, stored.head.number + 1)
    const segment = begun ?? (await writeNext(ports, stored.head))
    if (segment === 'taken') continue
    if (segment === 'nothing') break
    assertFollows(segment, stored.head, ports.environment)
    if (begun) await markDoubtful(ports, segment)
    else await markOwn(ports, segment)
    stored = await advanceHead(ports.records, stored, segment)
    completed.push(segment)
    isMore = begun !== undefined || segment.entries.length >= ports.maxSegmentEntries
  }
  return {
    segments: completed.map((segment) => segment.header.number),
    entryCount: completed.reduce((sum, segment) => sum + segment.entries.length, 0),
    ...(await anchorHead(ports, stored)),
  }
}

/** `taken`: another sealer wrote this number first. */
async function writeNext(ports: SealPorts, head: LedgerHead): Promise<Segment | 'taken' | 'nothing'> {
  const entries = await gatherUnsealed(ports)
  if (entries.length === 0) return 'nothing'
  const nowMs = ports.clock.nowMs()
  const { bytes, segment } = encodeSegment({
    number: head.number + 1,
    previousSha256: head.sha256,
    environment: ports.environment,
    sealedAt: instantFrom(nowMs),
    storeCopiesUntil: wholeSecond(nowMs + ports.retentionDays * DAY_MS),
    entries,
  })
  try {
    await ports.objects.put(segmentKey(segment.header.number), bytes, { ifAbsent: true })
    return segment
  } catch (error) {
    if (isBackstopError(error, 'OBJECT_EXISTS')) return 'taken'
    throw error
  }
}

/** Records expire on whole seconds. */
function wholeSecond(epochMs: number): Instant {
  return instantFrom(Math.ceil(epochMs / 1_000) * 1_000)
}

/** The index may lag behind, so every entry is read again by its key. */
async function gatherUnsealed(ports: SealPorts): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (const shard of SHARDS) {
    const candidates: AuditEntry[] = []
    for await (const record of readPages(ports.records, { partition: unsealedPartition(shard), index: 'index2' })) {
      candidates.push(decodeEntryRecord(record).entry)
      if (entries.length + candidates.length >= ports.maxSegmentEntries) break
    }
    const found = await mapInGroups(candidates, (entry) => findEntry(ports.records, entry))
    entries.push(...found.filter(isUnsealed).map((stored) => stored.entry))
    if (entries.length >= ports.maxSegmentEntries) break
  }
  return entries
}

const isUnsealed = (stored: StoredEntry | undefined): stored is StoredEntry =>
  stored !== undefined && stored.sealedIn === undefined

function assertFollows({ header }: Segment, head: LedgerHead, environment: string): void {
  const follows = header.number === head.number + 1 && header.previousSha256 === head.sha256
  if (follows && header.environment === environment) return
  throw broken(`segment ${header.number} does not follow segment ${head.number} of this ledger`)
}

/** Entries that were read from the store a moment ago and have not been marked by anybody. The order does not matter. */
async function markOwn(ports: SealPorts, segment: Segment): Promise<void> {
  const groups = groupsOf(segment.entries).values()
  const lane = async () => {
    for (const group of groups) await markGroup(ports, segment, group)
  }
  const lanes = await Promise.allSettled(Array.from({ length: MARKING_LANES }, lane))
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason
}

async function markGroup(ports: SealPorts, segment: Segment, group: readonly AuditEntry[]): Promise<void> {
  const writes = group.map(
    (entry) => ({ kind: 'replace', record: sealedRecord(entry, segment), expectedVersion: 1 }) as const,
  )
  try {
    await ports.records.transact(writes)
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
    for (const entry of group) await markOne(ports, segment, entry)
  }
}

/** Entries of a segment that somebody else has begun: each is compared with the store before it is marked. */
async function markDoubtful(ports: SealPorts, segment: Segment): Promise<void> {
  await mapInGroups(segment.entries, (entry) => markOne(ports, segment, entry))
}

async function markOne(ports: SealPorts, segment: Segment, entry: AuditEntry): Promise<void> {
  const { number, storeCopiesUntil } = segment.header
  const stored = await findEntry(ports.records, entry)
  if (stored === undefined) {
    if (ports.clock.nowMs() >= epochMsOf(storeCopiesUntil)) return
    throw broken(`segment ${number} holds an entry that the store does not: ${entry.id}`)
  }
  if (entryText(stored.entry) !== entryText(entry))
    throw broken(`segment ${number} differs from the store: ${entry.id}`)
  if (stored.sealedIn === number) return
  if (stored.sealedIn !== undefined) throw broken(`${entry.id} is sealed in ${stored.sealedIn} and ${number}`)
  try {
    const record = sealedRecord(entry, segment)
    await ports.records.write({ kind: 'replace', record, expectedVersion: stored.version })
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
    await markOne(ports, segment, entry)
  }
}

function sealedRecord(entry: AuditEntry, { header }: Segment) {
  return buildSealedRecord(entry, header.number, epochMsOf(header.storeCopiesUntil) / 1_000)
}

async function advanceHead(records: RecordStore, from: StoredHead, segment: Segment): Promise<StoredHead> {
  const { number, count, sealedAt } = segment.header
  const head = { number, sha256: segment.sha256, entryCount: from.head.entryCount + count, sealedAt }
  let current = from
  for (let attempt = 0; attempt < HEAD_ATTEMPTS; attempt++) {
    try {
      return await writeHead(records, { head, isAnchored: false, version: current.version })
    } catch (error) {
      if (!isBackstopError(error, 'RECORD_EXISTS') && !isBackstopError(error, 'RECORD_CHANGED')) throw error
    }
    current = await readHead(records)
    if (current.head.number >= number) return current
  }
  throw new BackstopError('AUDIT_UNAVAILABLE', 'the head of the ledger could not be moved')
}

async function anchorHead(ports: SealPorts, stored: StoredHead): Promise<{ readonly anchorFailure?: string }> {
  if (stored.isAnchored || ports.anchor === undefined) return {}
  try {
    await ports.anchor(stored.head)
  } catch (error) {
    return { anchorFailure: isBackstopError(error) ? error.code : 'BUG' }
  }
  try {
    await writeHead(ports.records, { ...stored, isAnchored: true })
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
  }
  return {}
}

function broken(message: string): BackstopError {
  return new BackstopError('AUDIT_BROKEN', message)
}
