import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type DynamoRecordStore, openDynamoRecordStore, runScheduled } from '#lib/adapters/aws/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { createFixedClock, type FixedClock } from '#test/support/fixed-clock.ts'

const LEASE_MS = 120_000

describe('a schedule whose leases cannot be kept', () => {
  let proxy: FaultProxy
  let records: DynamoRecordStore
  let clock: FixedClock
  let name: string
  let runs: number

  beforeAll(async () => {
    proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
    const { table, client } = await createTestTable(accountSettings(inject('cloudEndpoint')))
    clock = createFixedClock()
    const settings = { ...client, endpoint: proxy.endpoint, requestTimeoutMs: 1_500, attempts: 3 }
    records = openDynamoRecordStore({ table, client: settings, clock })
  })
  beforeEach(() => {
    proxy.clear()
    name = randomUUID()
    runs = 0
  })
  afterAll(async () => {
    records.close()
    await proxy.close()
  })

  const start = () => runScheduled(records, clock, { name, leaseMs: LEASE_MS }, async () => ++runs)
  const writes = /^(PutItem|UpdateItem|TransactWriteItems)$/

  it.each<[string, Fault]>([
    ['throttled', { kind: 'throttle' }],
    ['failing', { kind: 'error', status: 500, name: 'InternalServerError' }],
    ['silent', { kind: 'hang' }],
  ])('runs nothing while the table is %s, and says what to do', async (_, fault) => {
    const disarm = proxy.add({ service: 'dynamodb', fault })
    await expect(start()).rejects.toMatchObject({ code: 'METADATA_UNREACHABLE' })
    expect(runs).toBe(0)
    disarm()
    expect(await start()).toMatchObject({ status: 'ran', value: 1 })
  })

  it('runs once when the answer to taking the lease was lost', async () => {
    proxy.add({ service: 'dynamodb', operation: writes, on: [1], fault: { kind: 'reset-after' } })
    expect(await start()).toEqual({ status: 'ran', value: 1, isReleased: true })
    expect(proxy.calls.some(({ fault }) => fault === 'reset-after')).toBe(true)
    expect(await start()).toMatchObject({ status: 'ran', value: 2 })
  })

  it('lets what ran stand when its lease cannot be given back; the next run waits for its end', async () => {
    const disarm = proxy.add({
      service: 'dynamodb',
      operation: writes,
      on: [2, 3, 4, 5, 6, 7],
      fault: { kind: 'throttle' },
    })
    expect(await start()).toEqual({ status: 'ran', value: 1, isReleased: false })
    disarm()
    expect(await start()).toEqual({ status: 'skipped', reason: 'held' })
    clock.advance(LEASE_MS)
    expect(await start()).toMatchObject({ status: 'ran', value: 2, isReleased: true })
  })

  it('throws what the task threw also when it could not be counted', async () => {
    const disarm = proxy.add({
      service: 'dynamodb',
      operation: writes,
      on: [2, 3, 4, 5, 6, 7],
      fault: { kind: 'throttle' },
    })
    const failing = runScheduled(records, clock, { name, leaseMs: LEASE_MS }, () =>
      Promise.reject(new Error('the task')),
    )
    await expect(failing).rejects.toThrow('the task')
    disarm()
  })
})
