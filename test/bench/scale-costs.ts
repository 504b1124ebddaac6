/** What one statement costs in DynamoDB's units: counted from what the gate really writes, whatever keeps it. */
import { openSqliteRecordStore, startCluster } from '#lib/adapters/embedded/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import { sha256Hex } from '#lib/kernel/index.ts'
import { captureRound } from '#lib/product/index.ts'
import type { CapacityMeter, PartitionUse } from '#test/support/cloud/capacity-meter.ts'
import { meterCapacity } from '#test/support/cloud/capacity-meter.ts'
import type { TestGate } from '#test/support/cloud/gate.ts'
import { openTestGate } from '#test/support/cloud/gate.ts'
import type { WriteCosts } from './scale-model.ts'

export const SCALE_SEED = [
  'CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2))',
  "INSERT INTO items SELECT i, 'item ' || i, i * 1.1 FROM generate_series(1, 10000) i",
  'ANALYZE items',
]
export const SCALE_SQL = 'SELECT id, name, price FROM items WHERE id BETWEEN 100 AND 109'
const ITEMS = { schema: 'public', name: 'items' }
export const AGENT = { name: 'support-agents', scopes: ['query:execute'], agentIds: [] }

export interface StatementKind {
  readonly name: string
  /** Write units by place, and read units of all places. */
  readonly writes: WriteCosts & { readonly index1: number; readonly index2: number; readonly approval: number }
  readonly reads: number
}

export interface MeasuredCosts {
  readonly begin: WriteCosts
  readonly finish: WriteCosts
  readonly seal: WriteCosts
  readonly kinds: readonly StatementKind[]
}

export async function measureCosts(): Promise<MeasuredCosts> {
  const cluster = await startCluster()
  const records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
  const meter = meterCapacity(records)
  const gate = await openTestGate({ records: meter, databaseUrl: cluster.urlFor('postgres') })
  try {
    await gate.parts.database.withSession(async (session) => {
      for (const sql of SCALE_SEED) await session.execute(sql)
    })
    return { ...(await measurePhases(gate, meter)), kinds: await measureKinds(gate, meter) }
  } finally {
    await gate.close()
    await records.close()
    await cluster.stop()
  }
}

/** The ledger's three steps for one statement. */
async function measurePhases({ parts }: TestGate, meter: CapacityMeter): Promise<Omit<MeasuredCosts, 'kinds'>> {
  const { ledger } = parts
  await ledger.sealDue()
  meter.take()
  const intent = {
    action: 'statement',
    principal: AGENT.name,
    agentId: 'tester',
    query: SCALE_SQL,
    querySha256: sha256Hex(SCALE_SQL),
    riskLevel: 'SAFE',
    operation: 'SELECT',
  } as const
  const id = await ledger.begin(intent)
  const begin = costsOf(meter.take())
  await ledger.finish(id, { outcome: 'executed', rowCount: 10, durationMs: 12.345 })
  const finish = costsOf(meter.take())
  await ledger.sealDue()
  return { begin, finish, seal: costsOf(meter.take().filter((use) => use.partition !== 'audit-head')) }
}

async function measureKinds({ parts }: TestGate, meter: CapacityMeter): Promise<readonly StatementKind[]> {
  const run = (query: string) => parts.gate.execute(AGENT, { query, agentId: 'tester' })
  const measured = async (name: string, work: () => Promise<unknown>): Promise<StatementKind> => {
    await parts.ledger.sealDue()
    meter.take()
    await work()
    await parts.gate.settled()
    await parts.ledger.sealDue()
    return kindOf(name, meter.take())
  }
  const held = 'DELETE FROM items WHERE id > 5000'
  await run(SCALE_SQL)
  await captureRound(parts)
  return [
    await measured('a SAFE read', () => run(SCALE_SQL)),
    await measured('a SAFE read of 1.3 KB text', () => run(`${SCALE_SQL} AND name <> '${'x'.repeat(1_250)}'`)),
    await measured('a bounded UPDATE', () => run("UPDATE items SET name = 'x' WHERE id = 5")),
    await measured('a DELETE that is held', () => run(held)),
    await measured('the decision of an operator', () => approve(parts)),
    await measured('the approved DELETE, run', () => run(held)),
    await measured('a round that finds all fresh', () => captureRound(parts)),
    await measured('a scheduled capture', () => parts.recovery.capture(ITEMS, 'schedule')),
  ]
}

async function approve({ approvals }: TestGate['parts']): Promise<void> {
  const { approvals: pending } = await approvals.list({ state: 'pending' })
  const [one] = pending
  if (one === undefined) throw new Error('nothing is held: the policy of the benchmark has changed')
  await approvals.decide(one.id, { outcome: 'approved', decidedBy: 'operator' })
}

const AUDIT_INDEX = { 'audit-unsealed': 'unsealed', 'audit-day': 'timeline' } as const

function costsOf(uses: readonly PartitionUse[]): WriteCosts {
  const costs = { table: 0, open: 0, unsealed: 0, timeline: 0 }
  for (const { space, partition, writes } of uses) {
    const family = partition.split('#')[0] as keyof typeof AUDIT_INDEX
    if (space !== 'table') costs[AUDIT_INDEX[family]] += writes
    else costs[partition.startsWith('audit-open#') ? 'open' : 'table'] += writes
  }
  return costs
}

function kindOf(name: string, all: readonly PartitionUse[]): StatementKind {
  const uses = all.filter((use) => use.partition !== 'audit-head')
  const sum = (matches: (use: PartitionUse) => boolean) =>
    uses.filter(matches).reduce((total, use) => total + use.writes, 0)
  return {
    name,
    writes: {
      table: sum((use) => use.space === 'table'),
      index1: sum((use) => use.space === 'index1'),
      index2: sum((use) => use.space === 'index2'),
      open: sum((use) => use.partition.startsWith('audit-open#')),
      unsealed: sum((use) => use.partition.startsWith('audit-unsealed#')),
      timeline: sum((use) => use.partition.startsWith('audit-day#')),
      approval: sum((use) => use.space === 'table' && use.partition === 'approval'),
    },
    reads: uses.filter((use) => !use.partition.startsWith('audit')).reduce((total, use) => total + use.reads, 0),
  }
}
