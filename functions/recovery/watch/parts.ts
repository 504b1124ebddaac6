/** Looks for sessions of agents that go around the gateway, and tells each once an hour. */
import type { Database } from '#lib/ports/index.ts'
import { type Foundation, openAlerts, watchSessions } from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { absent, type ScheduledParts } from '../../shared/index.ts'

export function watchParts(foundation: Foundation, database: Database): ScheduledParts {
  const { records, clock } = foundation
  const columnar = absent<never>('columnar format')
  const recovery = openRecovery({ ...foundation, database, objects: absent('bucket'), columnar })
  const parts = { ...foundation, recovery, alerts: openAlerts(foundation) }
  return {
    records,
    clock,
    async run() {
      const { sessions, checked, skipped, news } = await watchSessions(parts)
      return { sessions: sessions.length, news: news.length, checked: checked.length, notChecked: skipped.length }
    },
  }
}
