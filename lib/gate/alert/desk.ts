/** Keep alerts in the record store and hand them to the notifier. */
import { ID_BYTES, instantFrom, type JsonObject, newId } from '#lib/kernel/index.ts'
import type { Alert, Clock, Notifier, Random, RecordStore } from '#lib/ports/index.ts'
import type { AlertDesk, AlertInput, RaisedAlert } from './model.ts'

export interface AlertDeskOptions {
  readonly records: RecordStore
  readonly notifier: Notifier
  readonly clock: Clock
  readonly random: Random
  readonly environment: string
  readonly retentionDays?: number // default 90
  /** For each alert, with its status. */
  onRaised?(eventType: string, status: RaisedAlert['status']): void
}

const PARTITION = 'alerts'
const DAY_S = 86_400

export function openAlertDesk(options: AlertDeskOptions): AlertDesk {
  const { records, notifier, clock, random, environment } = options

  function build(input: AlertInput, nowMs: number): Alert {
    return { ...input, id: newId('alrt', random.bytes(ID_BYTES)), environment, at: instantFrom(nowMs) }
  }

  async function keep(raised: RaisedAlert, nowMs: number): Promise<void> {
    const { alert, status } = raised
    const expiresAtS = Math.floor(nowMs / 1_000) + (options.retentionDays ?? 90) * DAY_S
    const body = { alert: { ...alert } as unknown as JsonObject, status }
    await records.write({
      kind: 'create',
      record: { key: { partition: PARTITION, sort: `${alert.at}#${alert.id}` }, body, expiresAtS },
    })
  }

  return {
    async raise(input) {
      const nowMs = clock.nowMs()
      const alert = build(input, nowMs)
      const status = await notifier.notify(alert).then(
        () => 'recorded' as const,
        () => 'failed' as const,
      )
      await keep({ alert, status }, nowMs).catch(() => {})
      options.onRaised?.(alert.eventType, status)
    },
    async list(filter) {
      const cursor = filter.cursor === undefined ? {} : { cursor: filter.cursor }
      const page = await records.query({ partition: PARTITION, descending: true, limit: filter.limit, ...cursor })
      return {
        alerts: page.records.map((record) => record.body as unknown as RaisedAlert),
        ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
      }
    },
  }
}
