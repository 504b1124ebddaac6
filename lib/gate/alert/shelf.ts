/** Alerts as records: kept when raised, changed by what their deliveries come to. */
import { instantFrom, type JsonObject, retryConflicts } from '#lib/kernel/index.ts'
import type { Alert, AlertDelivery, RecordKey, RecordStore } from '#lib/ports/index.ts'
import type { AlertPage, AlertStatus, RaisedAlert, TargetDelivery } from './model.ts'

const PARTITION = 'alerts'
const DAY_S = 86_400

type AlertPlace = Pick<Alert, 'id' | 'at'>

export class AlertShelf {
  readonly #records: RecordStore
  readonly #retentionDays: number

  constructor(records: RecordStore, retentionDays: number) {
    this.#records = records
    this.#retentionDays = retentionDays
  }

  async keep(alert: Alert, nowMs: number): Promise<void> {
    const expiresAtS = Math.floor(nowMs / 1_000) + this.#retentionDays * DAY_S
    const body = bodyOf({ alert, status: 'recorded' })
    await this.#records.write({ kind: 'create', record: { key: keyOf(alert), body, expiresAtS } })
  }

  async list(filter: { readonly limit: number; readonly cursor?: string }): Promise<AlertPage> {
    const cursor = filter.cursor === undefined ? {} : { cursor: filter.cursor }
    const page = await this.#records.query({ partition: PARTITION, descending: true, limit: filter.limit, ...cursor })
    return {
      alerts: page.records.map((record) => record.body as unknown as RaisedAlert),
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
    }
  }

  noteRefusal(alert: AlertPlace): Promise<void> {
    return this.#change(alert, (raised) => ({ ...raised, status: 'failed' }))
  }

  noteDelivery({ alert, target, targetCount, status }: AlertDelivery, nowMs: number): Promise<void> {
    return this.#change(alert, (raised) => {
      const known = raised.deliveries ?? []
      const attempts = (known.find((one) => one.target === target)?.attempts ?? 0) + 1
      const mine: TargetDelivery = { target, status, attempts, at: instantFrom(nowMs) }
      const deliveries = [...known.filter((one) => one.target !== target), mine]
      return { ...raised, deliveries, status: statusOf(deliveries, targetCount) }
    })
  }

  /** An alert whose record is gone, or was never kept, is left. */
  async #change(alert: AlertPlace, change: (raised: RaisedAlert) => RaisedAlert): Promise<void> {
    await retryConflicts(async () => {
      const record = await this.#records.find(keyOf(alert))
      if (record === undefined) return
      const body = bodyOf(change(record.body as unknown as RaisedAlert))
      const changed = { ...record, body }
      await this.#records.write({ kind: 'replace', record: changed, expectedVersion: record.version })
    })
  }
}

/** One target that failed is what an operator has to know; sent is what all of them have. */
function statusOf(deliveries: readonly TargetDelivery[], targetCount: number): AlertStatus {
  const failed = deliveries.find(({ status }) => status !== 'sent')
  if (failed !== undefined) return failed.status
  return deliveries.length >= targetCount ? 'sent' : 'recorded'
}

function bodyOf(raised: RaisedAlert): JsonObject {
  return { ...raised, alert: { ...raised.alert } } as unknown as JsonObject
}

function keyOf({ id, at }: AlertPlace): RecordKey {
  return { partition: PARTITION, sort: `${at}#${id}` }
}
