/** One decision and one use on DynamoDB, by several instances at once, on good days and on bad ones. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { DynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { ApprovalDesk } from '#lib/gate/index.ts'
import { openApprovalDesk } from '#lib/gate/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { TestTable } from '#test/support/cloud/dynamo.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import type { Fault, FaultProxy, FaultRule } from '#test/support/cloud/fault-proxy.ts'
import { startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { bindingOf, requestOf } from '../../unit/gate/approval/sample-request.ts'

const INSTANCES = 5
const TRIES = 20

let proxy: FaultProxy
let place: TestTable
let stores: DynamoRecordStore[]
let desks: ApprovalDesk[]

const deskOn = (store: DynamoRecordStore) => openApprovalDesk({ store, clock: systemClock, random: systemRandom })

beforeAll(async () => {
  proxy = await startFaultProxy({ upstream: inject('cloudEndpoint'), seed: 11 })
})
beforeEach(async () => {
  place = await createTestTable(accountSettings(inject('cloudEndpoint')))
  // So many that no call loses all of its attempts by chance.
  const client = { ...place.client, endpoint: proxy.endpoint, attempts: 8 }
  stores = Array.from({ length: INSTANCES }, () =>
    openDynamoRecordStore({ table: place.table, client, clock: systemClock }),
  )
  desks = stores.map(deskOn)
})
afterEach(() => {
  proxy.clear()
  for (const store of stores) store.close()
})
afterAll(() => proxy.close())

const conflict: Fault = {
  kind: 'error',
  status: 400,
  name: 'TransactionCanceledException',
  fields: { CancellationReasons: [{ Code: 'TransactionConflict' }, { Code: 'None' }] },
}

/** Falls on the first call in any case, so that the day is bad, and on others by chance. */
function spoil(rule: Omit<FaultRule, 'on'>): void {
  proxy.add({ ...rule, probability: 1, on: [1] })
  proxy.add(rule)
}

/** DynamoDB cancels transactions that meet; the local cloud runs them one after the other, so it is made to. */
const DAYS: readonly [string, () => void][] = [
  ['on a good day', () => {}],
  ['while transactions meet', () => spoil({ operation: 'TransactWriteItems', probability: 0.3, fault: conflict })],
  [
    'while answers get lost',
    () => spoil({ operation: 'TransactWriteItems', probability: 0.2, fault: { kind: 'reset-after' } }),
  ],
  ['while it throttles', () => spoil({ probability: 0.05, fault: { kind: 'throttle' } })],
]

const onAll = <T>(work: (desk: ApprovalDesk, n: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: TRIES }, (_, n) => work(desks[n % INSTANCES] as ApprovalDesk, n)))
const codes = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.flatMap((one) => (one.status === 'rejected' ? [isBackstopError(one.reason) ? one.reason.code : 'other'] : []))

describe.each(DAYS)('%s', (day, begin) => {
  const wasBad = () => proxy.calls.some((call) => call.fault !== undefined)

  it('twenty deciders make one decision, and the others are told which', async () => {
    const { id } = await (desks[0] as ApprovalDesk).hold(requestOf())
    begin()
    const results = await onAll((desk, n) =>
      desk.decide(id, { outcome: n % 2 === 0 ? 'approved' : 'denied', decidedBy: `operator-${n}` }),
    )
    const winners = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value.decision] : []))
    expect(winners).toHaveLength(1)
    expect(wasBad()).toBe(day !== 'on a good day')
    expect(new Set(codes(results))).toEqual(new Set(['APPROVAL_DECIDED']))
    for (const one of results) {
      if (one.status === 'rejected') expect(one.reason.details.decidedBy).toBe(winners[0]?.decidedBy)
    }
  })

  it('twenty agents that resubmit get one use', async () => {
    const [desk] = desks as [ApprovalDesk]
    const { id } = await desk.hold(requestOf())
    await desk.decide(id, { outcome: 'approved', decidedBy: 'operator' })
    begin()
    const results = await onAll((one, n) => one.claim(id, bindingOf(), `aud_${n}`))
    expect(codes(results)).toEqual([])
    const claims = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(claims.filter((claim) => claim.ok)).toHaveLength(1)
    proxy.clear()
    const used = claims.find((claim) => claim.ok)?.approval?.auditId
    expect((await desk.find(id))?.auditId).toBe(used)
  })

  it('a statement that is held twenty times at once is one approval', async () => {
    begin()
    const results = await onAll((desk) => desk.hold(requestOf()))
    expect(codes(results)).toEqual([])
    const ids = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value.id] : []))
    expect(new Set(ids).size).toBe(1)
  })
})
