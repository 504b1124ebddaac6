/** The real decision path, gate and DynamoDB adapter in one process, against a real PostgreSQL and the local cloud. */
import process from 'node:process'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { startCluster } from '#lib/adapters/embedded/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import type { TestGate } from '#test/support/cloud/gate.ts'
import { openTestGate } from '#test/support/cloud/gate.ts'
import { startMinistack } from '../../localstack/ministack.ts'
import { quantile } from './report.ts'
import { AGENT, SCALE_SEED, SCALE_SQL } from './scale-costs.ts'

export interface MeasuredPath {
  readonly callers: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** Of this process: classification, decision, the SDK. Not the database's and not the local cloud's. */
  readonly cpuMs: number
}

const CALLERS = [1, 8, 32]
const STATEMENTS = 600
const WARM_UP = 200

export async function measurePath(): Promise<readonly MeasuredPath[]> {
  const cloud = await startMinistack({ port: 0 })
  const cluster = await startCluster()
  const { table, client } = await createTestTable(accountSettings(cloud.endpoint))
  const store = openDynamoRecordStore({ table, client, clock: systemClock })
  const gate = await openTestGate({ records: store, databaseUrl: cluster.urlFor('postgres') })
  try {
    await gate.parts.database.withSession(async (session) => {
      for (const sql of SCALE_SEED) await session.execute(sql)
    })
    await drive(gate, 8, WARM_UP)
    const measured: MeasuredPath[] = []
    for (const callers of CALLERS) measured.push(await drive(gate, callers, STATEMENTS))
    await assertRecorded(gate, WARM_UP + CALLERS.length * STATEMENTS)
    return measured
  } finally {
    await gate.close()
    store.close()
    await cluster.stop()
    await cloud.stop()
  }
}

/** As a function does, each caller waits until the outcome is kept, too. */
async function drive({ parts }: TestGate, callers: number, statements: number): Promise<MeasuredPath> {
  const tookMs: number[] = []
  let left = statements
  const startedAt = performance.now()
  const cpu = process.cpuUsage()
  const caller = async () => {
    while (left-- > 0) {
      const sentAt = performance.now()
      const answer = await parts.gate.execute(AGENT, { query: SCALE_SQL, agentId: 'tester' })
      if (answer.status !== 'executed') throw new Error(`a statement was ${answer.status}, not executed`)
      tookMs.push(performance.now() - sentAt)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  await parts.gate.settled()
  const spent = process.cpuUsage(cpu)
  return {
    callers,
    perSecond: (statements * 1_000) / (performance.now() - startedAt),
    p50Ms: quantile(tookMs, 0.5),
    p95Ms: quantile(tookMs, 0.95),
    cpuMs: (spent.user + spent.system) / 1_000 / statements,
  }
}

/** A rate of statements that left no record would be worth nothing. */
async function assertRecorded({ parts }: TestGate, statements: number): Promise<void> {
  const { entryCount } = await parts.ledger.sealDue()
  if (entryCount !== 2 * statements) throw new Error(`${entryCount} audit entries for ${statements} statements`)
}
