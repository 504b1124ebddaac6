/** One sealed segment as bytes: a header line, then one canonical JSON entry a line. */
import { z } from 'zod'
import type { Instant, JsonObject, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, canonicalJson, sha256Hex } from '#lib/kernel/index.ts'
import { entryOrder, entryText } from './entry.ts'
import type { AuditEntry } from './model.ts'

export const SEGMENT_PREFIX = 'audit/segments/'
/** What the first segment names as its predecessor. */
export const NO_SEGMENT = '0'.repeat(64) as Sha256Hex

export interface SegmentHeader {
  readonly format: 'backstop-audit-segment'
  readonly version: 1
  readonly number: number
  readonly previousSha256: Sha256Hex
  readonly environment: string
  /** Of the earliest and the latest entry. */
  readonly from: Instant
  readonly to: Instant
  readonly count: number
  readonly sealedAt: Instant
  /** Until then the record store keeps its copies of these entries. */
  readonly storeCopiesUntil: Instant
}

export interface Segment {
  readonly header: SegmentHeader
  readonly entries: readonly AuditEntry[]
  /** Of the whole object. */
  readonly sha256: Sha256Hex
}

export interface SegmentInput {
  readonly number: number
  readonly previousSha256: Sha256Hex
  readonly environment: string
  readonly sealedAt: Instant
  readonly storeCopiesUntil: Instant
  /** At least one; in any order. */
  readonly entries: readonly AuditEntry[]
}

export function segmentKey(number: number): string {
  return `${SEGMENT_PREFIX}${String(number).padStart(12, '0')}.jsonl`
}

/** Undefined when no segment has this key. */
export function segmentNumberOf(key: string): number | undefined {
  const digits = /^audit\/segments\/(\d{12})\.jsonl$/.exec(key)?.[1]
  const number = digits === undefined ? 0 : Number(digits)
  return number >= 1 ? number : undefined
}

/** The bytes and what they say. Equal input gives equal bytes. */
export function encodeSegment(input: SegmentInput): { readonly bytes: Uint8Array; readonly segment: Segment } {
  const ordered = input.entries.map((entry) => ({ entry, order: entryOrder(entry) }))
  ordered.sort((left, right) => (left.order < right.order ? -1 : 1))
  const entries = ordered.map(({ entry }) => entry)
  const { number, previousSha256, environment, sealedAt, storeCopiesUntil } = input
  const header: SegmentHeader = {
    format: 'backstop-audit-segment',
    version: 1,
    number,
    previousSha256,
    environment,
    ...spanOf(entries),
    count: entries.length,
    sealedAt,
    storeCopiesUntil,
  }
  const lines = [canonicalJson(header as unknown as JsonObject), ...entries.map(entryText)]
  const bytes = Buffer.from(`${lines.join('\n')}\n`)
  return { bytes, segment: { header, entries, sha256: sha256Hex(bytes) } }
}

function spanOf(entries: readonly AuditEntry[]): { readonly from: Instant; readonly to: Instant } {
  return { from: (entries[0] as AuditEntry).at, to: (entries.at(-1) as AuditEntry).at }
}

const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const headerSchema = z.strictObject({
  format: z.literal('backstop-audit-segment'),
  version: z.literal(1),
  number: z.int().min(1),
  previousSha256: digest,
  environment: z.string(),
  from: instant,
  to: instant,
  count: z.int().min(1),
  sealedAt: instant,
  storeCopiesUntil: instant,
})

const entryBase = { id: z.string().regex(/^aud_[0-9a-f]{32}$/), at: instant, environment: z.string() }
const intent = z.looseObject({ action: z.string(), principal: z.string() })
const result = z.looseObject({ outcome: z.string() })
const entrySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('intent'), ...entryBase, intent }),
  z.strictObject({ kind: z.literal('event'), ...entryBase, intent, result }),
  z.strictObject({ kind: z.enum(['result', 'late-result']), ...entryBase, result }),
])

/**
 * Read a segment back.
 *
 * Invariants: decodeSegment(encodeSegment(x).bytes) = x; bytes that encodeSegment would not have written are refused
 * Throws:     AUDIT_BROKEN, with the line that is wrong
 */
export function decodeSegment(bytes: Uint8Array): Segment {
  const lines = decodeUtf8(bytes).split('\n')
  if (lines.pop() !== '' || lines.length < 2) throw broken(1, 'the segment is cut off')
  const header = decodeLine(lines[0] as string, headerSchema, 1) as SegmentHeader
  const entries = lines.slice(1).map((line, n) => decodeLine(line, entrySchema, n + 2) as unknown as AuditEntry)
  assertOrder(entries)
  const { from, to } = spanOf(entries)
  if (header.count !== entries.length) throw broken(1, 'the count does not match the entries')
  if (header.from !== from || header.to !== to) throw broken(1, 'the time span does not match the entries')
  return { header, entries, sha256: sha256Hex(bytes) }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw broken(1, 'the segment is not UTF-8')
  }
}

function decodeLine(line: string, schema: z.ZodType, lineNumber: number): unknown {
  const value = parseJson(line)
  if (value === undefined || !schema.safeParse(value).success) throw broken(lineNumber, 'the line is malformed')
  if (canonicalJson(value) !== line) throw broken(lineNumber, 'the line is not canonical JSON')
  return value
}

function parseJson(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

function assertOrder(entries: readonly AuditEntry[]): void {
  for (let n = 1; n < entries.length; n++) {
    const isAscending = entryOrder(entries[n - 1] as AuditEntry) < entryOrder(entries[n] as AuditEntry)
    if (!isAscending) throw broken(n + 2, 'the entry is out of order')
  }
}

function broken(line: number, reason: string): BackstopError {
  return new BackstopError('AUDIT_BROKEN', `line ${line}: ${reason}`, { details: { line, reason } })
}
