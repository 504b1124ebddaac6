/** `backstop alerts list`: what operators were told, and whether it reached them. */
import { defineCommand, integer } from '../frame/index.ts'
import { connectGateway, GATEWAY_FLAGS, request } from '../gateway/index.ts'
import { oneLine, shorten } from '../terminal/index.ts'
import type { ShownAlert } from './model.ts'

const TITLE_LENGTH = 80
const TONES = { critical: 'bad', warning: 'warning', info: 'muted' } as const

export const alertsList = defineCommand({
  path: 'alerts list',
  summary: 'List alerts, newest first, with what became of their delivery',
  flags: { ...GATEWAY_FLAGS, limit: integer('--limit <number>', 'most alerts to show (default 50)', 1, 500) },
  json: 'alerts[] as `GET /metadata/alerts` gives them, count',
  examples: [{ does: 'The newest ten', line: 'backstop alerts list --limit 10' }],
  async run({ flags }, context) {
    const gateway = await connectGateway(flags, context)
    const limit = flags.limit ?? 50
    const { items } = await request<{ items: readonly ShownAlert[] }>(gateway, 'GET', `/metadata/alerts?limit=${limit}`)
    const columns = ['AT', 'SEVERITY', 'EVENT', 'WHAT', 'DELIVERY'].map((title) => ({ title }))
    const rows = items.map((alert) => [
      alert.timestamp,
      { text: alert.state === 'resolved' ? 'over' : alert.severity, tone: TONES[alert.severity] },
      alert.event_type,
      shorten(oneLine(alert.title), TITLE_LENGTH),
      { text: alert.status, tone: alert.status.startsWith('failed') ? ('bad' as const) : ('plain' as const) },
    ])
    const whenEmpty = 'Nobody had to be told of anything yet.'
    return {
      ok: true,
      data: { alerts: items, count: items.length },
      blocks: [{ kind: 'table', columns, rows, whenEmpty }],
    }
  },
})
