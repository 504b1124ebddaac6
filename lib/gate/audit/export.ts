/** The whole ledger as lines of text: sealed entries with the segment that proves them, then those that wait. */
import type { Instant, JsonObject, Sha256Hex } from '#lib/kernel/index.ts'
import { canonicalJson } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordStore } from '#lib/ports/index.ts'
import { decodeEntryRecord, entryOrder, findEntry, SHARDS, unsealedPartition } from './entry.ts'
import type { AuditEntry } from './model.ts'
import { readPages } from './pages.ts'
import { segmentNumberOf } from './segment.ts'
import { findSegment, listSegmentKeys } from './store-segment.ts'

export interface ExportPorts {
  readonly records: RecordStore
  readonly objects: ObjectStore
}

export interface ExportOptions {
  readonly format: 'jsonl' | 'csv'
  /** Inclusive, both. */
  readonly from?: Instant
  readonly to?: Instant
}

interface ExportedEntry {
  readonly entry: AuditEntry
  /** Absent: not sealed yet. */
  readonly segment?: { readonly number: number; readonly sha256: Sha256Hex }
}

/** Lines with their line ends. Throws AUDIT_BROKEN at a segment that cannot be read: export what is proven, then stop. */
export async function* exportLedger(ports: ExportPorts, options: ExportOptions): AsyncGenerator<string, void> {
  const toLine = options.format === 'csv' ? csvLine : jsonLine
  if (options.format === 'csv') yield `${CSV_COLUMNS.join(',')}\r\n`
  for await (const exported of readEntries(ports)) {
    const { at } = exported.entry
    const isInside =
      (options.from === undefined || at >= options.from) && (options.to === undefined || at <= options.to)
    if (isInside) yield toLine(exported)
  }
}

async function* readEntries(ports: ExportPorts): AsyncGenerator<ExportedEntry, void> {
  let last = 0
  for (const key of await listSegmentKeys(ports.objects)) {
    const number = segmentNumberOf(key)
    const segment = number === undefined ? undefined : await findSegment(ports.objects, number)
    if (number === undefined || segment === undefined) continue
    last = number
    for (const entry of segment.entries) yield { entry, segment: { number, sha256: segment.sha256 } }
  }
  for (const entry of await readUnsealed(ports.records, last)) yield { entry }
}

/** Those that were sealed meanwhile, after the last segment that was exported, count as waiting. */
async function readUnsealed(records: RecordStore, last: number): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (const shard of SHARDS) {
    for await (const record of readPages(records, { partition: unsealedPartition(shard), index: 'index2' })) {
      const stored = await findEntry(records, decodeEntryRecord(record).entry)
      if (stored && (stored.sealedIn === undefined || stored.sealedIn > last)) entries.push(stored.entry)
    }
  }
  return entries.sort((left, right) => (entryOrder(left) < entryOrder(right) ? -1 : 1))
}

function jsonLine({ entry, segment }: ExportedEntry): string {
  return `${canonicalJson({ entry: entry as unknown as JsonObject, segment: segment ?? null })}\n`
}

const CSV_COLUMNS = [
  'segment',
  'segment_sha256',
  'kind',
  'id',
  'at',
  'environment',
  'action',
  'principal',
  'agent_id',
  'risk_level',
  'operation',
  'approval_id',
  'query',
  'query_sha256',
  'outcome',
  'row_count',
  'duration_ms',
  'error_code',
  'policy_reason',
  'facts',
] as const

function csvLine({ entry, segment }: ExportedEntry): string {
  const intent = 'intent' in entry ? entry.intent : undefined
  const result = 'result' in entry ? entry.result : undefined
  const facts = { ...intent?.facts, ...result?.facts }
  const fields = [
    segment?.number,
    segment?.sha256,
    entry.kind,
    entry.id,
    entry.at,
    entry.environment,
    intent?.action,
    intent?.principal,
    intent?.agentId,
    intent?.riskLevel,
    intent?.operation,
    intent?.approvalId,
    intent?.query,
    intent?.querySha256,
    result?.outcome,
    result?.rowCount,
    result?.durationMs,
    result?.errorCode,
    result?.policyReason,
    Object.keys(facts).length > 0 ? canonicalJson(facts) : undefined,
  ]
  return `${fields.map(csvField).join(',')}\r\n`
}

/** Quoted always; a spreadsheet would run a text that begins like a formula, so such a text gets an apostrophe before it. */
function csvField(value: string | number | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const isFormula = /^[=+\-@\t\r]/.test(value)
  return `"${(isFormula ? `'${value}` : value).replaceAll('"', '""')}"`
}
