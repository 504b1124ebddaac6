/** What the running product has told its operators, as they see it. */
import { eventually } from '#test/support/eventually.ts'
import type { TestProduct } from '#test/support/product.ts'

export interface SeenAlert {
  readonly id: string
  readonly event_type: string
  readonly severity: string
  readonly state: string
  readonly status: string
  readonly title: string
  readonly table_name: string | null
  readonly recommended_action: string
  readonly deliveries: readonly { readonly target: string; readonly status: string; readonly attempts: number }[]
  readonly facts: Readonly<Record<string, unknown>>
  readonly payload_json: string
}

export async function readAlerts(product: TestProduct, eventType?: string): Promise<readonly SeenAlert[]> {
  const { body } = await product.call('admin', 'GET', '/metadata/alerts?limit=500')
  const all = body.items as readonly SeenAlert[]
  return eventType === undefined ? all : all.filter((one) => one.event_type === eventType)
}

/** The newest alert of the type that `matches`. */
export function untilAlert(
  product: TestProduct,
  eventType: string,
  matches: (alert: SeenAlert) => boolean = () => true,
): Promise<SeenAlert> {
  const look = async () => (await readAlerts(product, eventType)).find(matches)
  return eventually(look, { timeoutMs: 120_000, everyMs: 100, what: `the alert ${eventType}` })
}

export async function readMetrics(product: TestProduct): Promise<string> {
  return (await product.call('operator', 'GET', '/metrics')).body as string
}
