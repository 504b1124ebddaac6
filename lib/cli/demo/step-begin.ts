/** The product is up in front of a shop with data, and every table has a recovery point. */
import { setTimeout as delay } from 'node:timers/promises'
import { request } from '../gateway/index.ts'
import { SHOP_ROWS, SHOP_TABLES } from '../shop/index.ts'
import { answerClaim, databaseClaim } from './claim.ts'
import type { DemoStep, DemoWorld } from './model.ts'
import { countSql, readState } from './state.ts'

const READY_DEADLINE_MS = 30_000
const LOOK_EVERY_MS = 25

interface HealthDetails {
  readonly gateway: string
  readonly sidecar_status: string
}

interface SnapshotRow {
  readonly table: string
  readonly row_count: number
}

interface Readiness {
  readonly health: HealthDetails
  readonly points: readonly SnapshotRow[]
}

/** The first round of captures runs in the background. After the deadline: whatever there is, for the claims to judge. */
async function waitUntilReady(world: DemoWorld): Promise<Readiness> {
  const deadlineMs = performance.now() + READY_DEADLINE_MS
  for (;;) {
    const health = await request<HealthDetails>(world.ops, 'GET', '/metadata/health')
    const points = await request<readonly SnapshotRow[]>(world.ops, 'GET', '/metadata/snapshots')
    const isReady = health.sidecar_status === 'healthy' && points.length >= SHOP_TABLES.length
    if (isReady || performance.now() > deadlineMs) return { health, points }
    await delay(LOOK_EVERY_MS, undefined, { signal: world.signal })
  }
}

export const beginStep: DemoStep = {
  id: 'begin',
  title: 'A shop, and Backstop in front of it',
  actor: 'product',
  async run(world) {
    const { health, points } = await waitUntilReady(world)
    const captured = Object.fromEntries(points.map(({ table, row_count: rowCount }) => [table, rowCount]))
    world.memory.payments = await readState(world, 'payments')
    const tables = SHOP_TABLES.map((table) => `${SHOP_ROWS[table]} ${table.replace('_', ' ')}`).join(', ')
    return {
      input: 'backstop up',
      answer: `the gateway is ${health.gateway} at ${world.agent.url}`,
      claims: [
        ...SHOP_TABLES.slice(0, -1).map((table) => databaseClaim('', countSql(table), SHOP_ROWS[table])),
        databaseClaim(`the shop holds ${tables}`, countSql('payments'), SHOP_ROWS.payments),
        answerClaim(`all ${SHOP_TABLES.length} tables have a recovery point with every row`, captured, {
          ...SHOP_ROWS,
        }),
      ],
    }
  },
}
