/** The audit ledger over its ports: append, read, seal. */

import type { AuditId } from '#lib/kernel/index.ts'
import type { Clock, ObjectStore, Random, RecordStore } from '#lib/ports/index.ts'
import { LedgerAppender, orUnavailable } from './append.ts'
import type { AnchorHead, AuditFilter, AuditIntent, AuditResult, OpenAuditLedger } from './model.ts'
import { sealDue } from './seal.ts'
import { findEvent, listEvents } from './timeline.ts'

export interface AuditLedgerOptions {
  readonly records: RecordStore
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly random: Random
  readonly environment: string
  /** Days for which the record store keeps its copies of sealed entries; 90 when absent. */
  readonly retentionDays?: number
  /** 1,000 when absent: building a segment holds the event loop, about 15 ms for this many. */
  readonly maxSegmentEntries?: number
  readonly anchor?: AnchorHead
}

export const DEFAULT_RETENTION_DAYS = 90
const DEFAULT_SEGMENT_ENTRIES = 1_000

export function openAuditLedger(options: AuditLedgerOptions): OpenAuditLedger {
  const ports = {
    ...options,
    retentionDays: options.retentionDays ?? DEFAULT_RETENTION_DAYS,
    maxSegmentEntries: options.maxSegmentEntries ?? DEFAULT_SEGMENT_ENTRIES,
  }
  const appender = new LedgerAppender(options)
  return {
    begin: (intent: AuditIntent) => appender.begin(intent),
    finish: (id: AuditId, result: AuditResult) => appender.finish(id, result),
    record: (intent: AuditIntent, result: AuditResult) => appender.record(intent, result),
    countOpen: () => appender.countOpen(),
    reconcile: (openForMs: number) => appender.reconcile(openForMs),
    list: (filter: AuditFilter = {}) => orUnavailable(() => listEvents(ports, filter)),
    find: (id: AuditId) => orUnavailable(() => findEvent(options.records, id)),
    sealDue: () => orUnavailable(() => sealDue(ports)),
  }
}
