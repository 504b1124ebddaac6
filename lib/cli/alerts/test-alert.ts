/** `backstop alerts test`: one alert the way that all of them go, and whether it arrived. */
import { BackstopError } from '#lib/kernel/index.ts'
import { type CommandContext, defineCommand, integer } from '../frame/index.ts'
import { connectGateway, GATEWAY_FLAGS, type Gateway, request } from '../gateway/index.ts'
import type { Block } from '../terminal/index.ts'
import type { ShownAlert } from './model.ts'

const DEFAULT_WAIT_S = 30
const LOOK_EVERY_MS = 250
const NEWEST = 100

interface Sent {
  readonly status: string
  readonly alert_id: string
  readonly targets: readonly string[] | null
}

export const alertsTest = defineCommand({
  path: 'alerts test',
  summary: 'Send a test alert to everybody who is to get alerts, and see whether it arrives',
  details:
    'The running gateway sends it, through its own settings. It needs a token with admin:*. Exit code 1 when no target is configured, or when one does not take it in time.',
  flags: {
    ...GATEWAY_FLAGS,
    wait: integer('--wait <seconds>', 'how long to wait for the receivers (default 30)', 1, 600),
  },
  json: 'alert_id, status (sent, recorded, failed, failed_http_<code>), targets[], deliveries[]',
  examples: [{ does: 'Before going to production', line: 'backstop alerts test' }],
  async run({ flags }, context) {
    const gateway = await connectGateway(flags, context)
    const sent = await request<Sent>(gateway, 'POST', '/admin/alerts/test')
    const isNowhere = sent.targets?.length === 0
    const found = isNowhere ? undefined : await waitFor(gateway, sent.alert_id, flags.wait ?? DEFAULT_WAIT_S, context)
    const status = found?.status ?? sent.status
    const data = { alert_id: sent.alert_id, status, targets: sent.targets, deliveries: found?.deliveries ?? [] }
    return { ok: status === 'sent', data, blocks: blocksOf(sent, status, found) }
  },
})

/** Until every target has it, or the time is over; a failure may be mended by the next attempt. */
async function waitFor(
  gateway: Gateway,
  alertId: string,
  waitS: number,
  { signal }: CommandContext,
): Promise<ShownAlert | undefined> {
  const deadline = performance.now() + waitS * 1_000
  for (;;) {
    const { items } = await request<{ items: readonly ShownAlert[] }>(
      gateway,
      'GET',
      `/metadata/alerts?limit=${NEWEST}`,
    )
    const found = items.find(({ id }) => id === alertId)
    if (found?.status === 'sent' || performance.now() > deadline) return found
    if (signal.aborted) throw new BackstopError('USAGE_INVALID', 'it was interrupted')
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

function blocksOf(sent: Sent, status: string, found: ShownAlert | undefined): readonly Block[] {
  if (sent.targets?.length === 0) {
    const text =
      'No target is configured: alerts are in the log and in GET /metadata/alerts alone. Set BACKSTOP_ALERT_WEBHOOK.'
    return [{ kind: 'text', text, tone: 'bad' }]
  }
  const rows = (found?.deliveries ?? []).map((one) => [one.target, one.status, String(one.attempts)])
  const columns = ['TARGET', 'STATUS', 'ATTEMPTS'].map((title) => ({ title }))
  const text =
    status === 'sent' ? 'Every target has the test alert.' : 'Not every target has taken it yet; it is tried again.'
  return [
    { kind: 'table', columns, rows, whenEmpty: 'No target has been tried yet.' },
    { kind: 'text', text, tone: status === 'sent' ? 'good' : 'bad' },
  ]
}
