/** Looks for sessions of agents that go around the gateway, for tables that are gone, and whether the capture still runs. */
import type { Database } from '#lib/ports/index.ts'
import {
  type Foundation,
  openAlerts,
  openLedger,
  watchHeartbeat,
  watchSessions,
  watchTables,
} from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { absent, NO_BUCKET, type ScheduledParts } from '../../shared/index.ts'

/** Instances of functions share the gateway's role and know nothing of each other: its own sessions are not judged here. */
export function watchParts(foundation: Foundation, database: Database): ScheduledParts {
  const { records, clock } = foundation
  const columnar = absent<never>('columnar format')
  const recovery = openRecovery({ ...foundation, database, objects: absent('bucket'), columnar })
  const ledger = openLedger(foundation, NO_BUCKET)
  const parts = { ...foundation, recovery, ledger, alerts: openAlerts(foundation) }
  return {
    records,
    clock,
    async run() {
      const isCapturing = await watchHeartbeat(parts)
      const { sessions, checked, skipped, news, posture } = await watchSessions(parts)
      const { present, dropped } = await watchTables(parts)
      return {
        sessions: sessions.length,
        news: news.length,
        checked: checked.length,
        notChecked: skipped.length,
        posture: posture.status,
        tables: present.length,
        dropped: dropped.length,
        isCapturing,
      }
    },
  }
}
