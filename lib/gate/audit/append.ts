/** The writing side that is on every request's path: intent before effect, result after. */
import type { AuditId, Instant } from '#lib/kernel/index.ts'
import { BackstopError, canonicalJson, ID_BYTES, instantFrom, isBackstopError, newId } from '#lib/kernel/index.ts'
import type { Clock, Random, RecordKey, RecordStore, RecordWrite } from '#lib/ports/index.ts'
import { buildEntryRecord, findEntry, openKey, openPartition, SHARDS } from './entry.ts'
import type { AuditEntry, AuditIntent, AuditResult } from './model.ts'
import { readPages } from './pages.ts'
import { scrubQuery } from './scrub-query.ts'

export interface AppendPorts {
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly environment: string
}

/** What reconciliation writes into `facts`, so that the outcome is seen to be a conclusion and no report. */
const RECONCILED = { reconciled: true } as const

const create = (entry: AuditEntry): RecordWrite => ({ kind: 'create', record: buildEntryRecord(entry) })

/** Whatever the store said, to the caller it means that nothing may happen. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isBackstopError(error, 'AUDIT_BROKEN') || isBackstopError(error, 'AUDIT_UNAVAILABLE')) throw error
    if (isBackstopError(error, 'CURSOR_INVALID')) throw error
    const code = isBackstopError(error) ? error.code : 'BUG'
    throw new BackstopError('AUDIT_UNAVAILABLE', `the audit ledger could not be written or read: ${code}`, {
      cause: error,
      details: { because: code },
    })
  }
}

export class LedgerAppender {
  readonly #ports: AppendPorts

  constructor(ports: AppendPorts) {
    this.#ports = ports
  }

  async begin(intent: AuditIntent): Promise<AuditId> {
    const base = this.#newBase()
    const opened = { kind: 'create', record: { key: openKey(base.id), body: { at: base.at } } } as const
    const entry: AuditEntry = { kind: 'intent', ...base, intent: scrubIntent(intent) }
    await orUnavailable(() => this.#ports.records.transact([create(entry), opened]))
    return base.id
  }

  async record(intent: AuditIntent, result: AuditResult): Promise<AuditId> {
    const base = this.#newBase()
    const entry: AuditEntry = { kind: 'event', ...base, intent: scrubIntent(intent), result }
    await orUnavailable(() => this.#ports.records.write(create(entry)))
    return base.id
  }

  async finish(id: AuditId, result: AuditResult): Promise<void> {
    await orUnavailable(async () => {
      if (await this.#close(id, result)) return
      await this.#finishAgain(id, result)
    })
  }

  async countOpen(): Promise<number> {
    return await orUnavailable(async () => {
      let count = 0
      for await (const _ of this.#openEvents()) count++
      return count
    })
  }

  async reconcile(openForMs: number): Promise<number> {
    return await orUnavailable(async () => {
      const latest = instantFrom(this.#ports.clock.nowMs() - openForMs)
      let count = 0
      for await (const { id, at, key } of this.#openEvents()) {
        if (at <= latest && (await this.#close(id, { outcome: 'unknown', facts: RECONCILED }, key))) count++
      }
      return count
    })
  }

  #newBase(): { readonly id: AuditId; readonly at: Instant; readonly environment: string } {
    const { clock, random, environment } = this.#ports
    const nowMs = clock.nowMs()
    return { id: newAuditId(nowMs, random), at: instantFrom(nowMs), environment }
  }

  /** False when the event is not open any more. `key`: where it is open, for one that an earlier version began elsewhere. */
  async #close(id: AuditId, result: AuditResult, key = openKey(id)): Promise<boolean> {
    const { records, clock, environment } = this.#ports
    const entry: AuditEntry = { kind: 'result', id, at: instantFrom(clock.nowMs()), environment, result }
    try {
      await records.transact([create(entry), { kind: 'delete', key, expectedVersion: 1 }])
      return true
    } catch (error) {
      if (isBackstopError(error, 'RECORD_EXISTS') || isBackstopError(error, 'RECORD_CHANGED')) return false
      throw error
    }
  }

  /** A repeated report is no news; one that comes after reconciliation is kept beside it. */
  async #finishAgain(id: AuditId, result: AuditResult): Promise<void> {
    const { records, clock, environment } = this.#ports
    const first = (await findEntry(records, { id, kind: 'result' }))?.entry
    if (first?.kind !== 'result') throw new BackstopError('AUDIT_UNAVAILABLE', `the audit event ${id} was never begun`)
    if (isSameResult(first.result, result)) return
    if (first.result.facts?.['reconciled'] !== true) {
      throw new BackstopError('AUDIT_UNAVAILABLE', `the audit event ${id} has another result`)
    }
    const late: AuditEntry = { kind: 'late-result', id, at: instantFrom(clock.nowMs()), environment, result }
    await records.write(create(late)).catch((error: unknown) => {
      if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
    })
  }

  async *#openEvents(): AsyncGenerator<{ readonly id: AuditId; readonly at: Instant; readonly key: RecordKey }> {
    for (const shard of SHARDS) {
      for await (const record of readPages(this.#ports.records, { partition: openPartition(shard) })) {
        yield { id: record.key.sort as AuditId, at: record.body['at'] as Instant, key: record.key }
      }
    }
  }
}

/** The time leads, so that new entries lie beside each other in an ordered store; 80 random bits follow. */
function newAuditId(nowMs: number, random: Random): AuditId {
  const bytes = Buffer.from(random.bytes(ID_BYTES))
  bytes.writeUIntBE(nowMs, 0, 6)
  return newId('aud', bytes)
}

function scrubIntent(intent: AuditIntent): AuditIntent {
  return intent.query === undefined ? intent : { ...intent, query: scrubQuery(intent.query) }
}

function isSameResult(left: AuditResult, right: AuditResult): boolean {
  return canonicalJson({ ...left } as never) === canonicalJson({ ...right } as never)
}
