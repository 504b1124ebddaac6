/** Bad days of the record store on DynamoDB: each has one defined outcome, and no effect twice. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { AwsClientSettings, DynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { ErrorCode } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { RecordKey, RecordWrite } from '#lib/ports/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import type { Fault, FaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { startFaultProxy } from '#test/support/cloud/fault-proxy.ts'

/** Where no answer comes. */
const IMPATIENT_MS = 2_000
/** Elsewhere: a busy machine is no bad day. */
const PATIENT_MS = 30_000
const ATTEMPTS = 3

let proxy: FaultProxy
/** Through the proxy; a new one for each test, because a client that has failed often stops retrying for a while. */
let store: DynamoRecordStore
let openStore: (requestTimeoutMs: number) => DynamoRecordStore
/** Past it: what is really there, and what other processes do. */
let direct: DynamoRecordStore

beforeAll(async () => {
  const upstream = inject('cloudEndpoint')
  const { table, client } = await createTestTable(accountSettings(upstream))
  proxy = await startFaultProxy({ upstream, seed: 20_261_121 })
  openStore = (requestTimeoutMs) => {
    const through: AwsClientSettings = { ...client, endpoint: proxy.endpoint, requestTimeoutMs, attempts: ATTEMPTS }
    return openDynamoRecordStore({ table, client: through, clock: systemClock })
  }
  direct = openDynamoRecordStore({ table, client, clock: systemClock })
})
beforeEach(() => {
  store = openStore(PATIENT_MS)
})
afterEach(() => {
  store.close()
  proxy.clear()
})
afterAll(async () => {
  direct.close()
  await proxy.close()
})

/** A store for a test of this fault. */
function openFor(fault: Fault): void {
  if (fault.kind !== 'hang' && fault.kind !== 'delay' && fault.kind !== 'stall') return
  store.close()
  store = openStore(IMPATIENT_MS)
}
const newKey = (): RecordKey => ({ partition: `bad-day#${randomUUID()}`, sort: 'a' })
const create = (key: RecordKey, body = {}): RecordWrite => ({ kind: 'create', record: { key, body } })
const replace = (key: RecordKey, expectedVersion: number, body = {}): RecordWrite => ({
  kind: 'replace',
  record: { key, body },
  expectedVersion,
})
const fails = (promise: Promise<unknown>, code: ErrorCode, details: object = {}) =>
  expect(promise).rejects.toMatchObject({ code, details })
const faults = () => proxy.calls.map(({ operation, fault }) => `${operation} ${fault ?? 'passed'}`)

const LOST_ANSWERS: readonly Fault[] = [
  { kind: 'reset-after' },
  { kind: 'truncate', keepBytes: 0 },
  { kind: 'delay', delayMs: 4 * IMPATIENT_MS },
  { kind: 'stall', keepBytes: 1 },
]
const NO_EFFECT: readonly Fault[] = [
  { kind: 'throttle' },
  { kind: 'error', status: 500, name: 'InternalServerError' },
  { kind: 'error', status: 503, name: 'ServiceUnavailable' },
  { kind: 'reset-before' },
  { kind: 'hang' },
]

describe('one bad answer', () => {
  it.each([...NO_EFFECT, ...LOST_ANSWERS])('of a create changes nothing for the caller: %j', async (fault) => {
    const key = newKey()
    openFor(fault)
    proxy.add({ operation: 'PutItem', on: [1], fault })
    expect(await store.write(create(key, { n: 1 }))).toBe(1)
    expect(faults().slice(0, 2)).toEqual([`PutItem ${fault.kind}`, 'PutItem passed'])
    expect(await direct.find(key)).toEqual({ key, body: { n: 1 }, version: 1 })
  })

  it.each([...NO_EFFECT, ...LOST_ANSWERS])('of a replacement changes nothing for the caller: %j', async (fault) => {
    const key = newKey()
    await direct.write(create(key))
    openFor(fault)
    proxy.add({ operation: 'UpdateItem', on: [1], fault })
    expect(await store.write(replace(key, 1, { n: 2 }))).toBe(2)
    expect(faults().slice(0, 2)).toEqual([`UpdateItem ${fault.kind}`, 'UpdateItem passed'])
    expect(await direct.find(key)).toEqual({ key, body: { n: 2 }, version: 2 })
  })

  it.each([...NO_EFFECT, ...LOST_ANSWERS])('of a delete changes nothing for the caller: %j', async (fault) => {
    const key = newKey()
    await direct.write(create(key))
    openFor(fault)
    proxy.add({ operation: 'TransactWriteItems', on: [1], fault })
    expect(await store.write({ kind: 'delete', key, expectedVersion: 1 })).toBe(0)
    expect(proxy.calls[0]?.fault).toBe(fault.kind)
    expect(await direct.find(key)).toBeUndefined()
  })

  it.each([...NO_EFFECT, ...LOST_ANSWERS])('of a transaction changes nothing for the caller: %j', async (fault) => {
    const keys = [newKey(), newKey()]
    await direct.write(create(keys[1] as RecordKey))
    openFor(fault)
    proxy.add({ operation: 'TransactWriteItems', on: [1], fault })
    await store.transact([create(keys[0] as RecordKey), replace(keys[1] as RecordKey, 1)])
    expect(proxy.calls[0]?.fault).toBe(fault.kind)
    for (const [n, version] of [1, 2].entries()) {
      expect((await direct.find(keys[n] as RecordKey))?.version).toBe(version)
    }
  })

  it.each([...NO_EFFECT, ...LOST_ANSWERS])('of a read changes nothing for the caller: %j', async (fault) => {
    const key = newKey()
    await direct.write(create(key, { x: 'x'.repeat(2_000) }))
    openFor(fault)
    proxy.add({ on: [1, 3], fault })
    expect((await store.find(key))?.version).toBe(1)
    expect((await store.query({ partition: key.partition })).records).toHaveLength(1)
    expect(proxy.calls.filter((call) => call.fault !== undefined)).toHaveLength(2)
  })
})

describe('a day on which it goes on', () => {
  const everything = (key: RecordKey): readonly [string, () => Promise<unknown>][] => [
    ['find', () => store.find(key)],
    ['query', () => store.query({ partition: key.partition })],
    ['create', () => store.write(create(key))],
    ['replace', () => store.write(replace(key, 1))],
    ['delete', () => store.write({ kind: 'delete', key, expectedVersion: 1 })],
    ['transact', () => store.transact([create(key)], randomUUID())],
  ]
  const days: readonly [Fault, string][] = [
    [{ kind: 'throttle' }, 'throttled'],
    [{ kind: 'error', status: 500, name: 'InternalServerError' }, 'failing'],
    [{ kind: 'error', status: 400, name: 'AccessDeniedException' }, 'denied'],
    [{ kind: 'error', status: 400, name: 'ResourceNotFoundException' }, 'missing'],
    [{ kind: 'error', status: 400, name: 'ValidationException' }, 'invalid'],
    [{ kind: 'reset-before' }, 'unreachable'],
    [{ kind: 'hang' }, 'unreachable'],
  ]

  it.each(days)('says METADATA_UNREACHABLE and what to do, within its bounds: %j is %s', async (fault, failure) => {
    openFor(fault)
    proxy.add({ fault })
    for (const [, attempt] of everything(newKey())) {
      const startedAt = performance.now()
      const error = await attempt().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error).toMatchObject({ code: 'METADATA_UNREACHABLE', details: { failure } })
      expect(isBackstopError(error) && error.message).toMatch(/^the table "records-[\w-]+" failed \(\w+\): .{20,}$/)
      expect(isBackstopError(error) && error.httpStatus).toBe(503)
      expect(performance.now() - startedAt).toBeLessThan(ATTEMPTS * IMPATIENT_MS + 20_000)
    }
    expect(new Set(proxy.calls.map((call) => call.fault))).toEqual(new Set([fault.kind]))
  })

  it('leaves nothing behind of what was refused, and works again afterwards', async () => {
    const key = newKey()
    const remove = proxy.add({ fault: { kind: 'throttle' } })
    await fails(store.write(create(key)), 'METADATA_UNREACHABLE')
    await fails(store.transact([create(key)]), 'METADATA_UNREACHABLE')
    expect(await direct.find(key)).toBeUndefined()
    remove()
    expect(await store.write(create(key))).toBe(1)
  })

  it('says so when nothing listens', async () => {
    const client: AwsClientSettings = {
      ...accountSettings('http://127.0.0.1:9'),
      attempts: 2,
      requestTimeoutMs: IMPATIENT_MS,
    }
    const nowhere = openDynamoRecordStore({ table: 'none', client, clock: systemClock })
    await fails(nowhere.find(newKey()), 'METADATA_UNREACHABLE', { failure: 'unreachable', awsError: 'ECONNREFUSED' })
    nowhere.close()
  })

  it('says so when the table is not there', async () => {
    const client = accountSettings(inject('cloudEndpoint'))
    const other = openDynamoRecordStore({ table: 'none', client, clock: systemClock })
    await fails(other.find(newKey()), 'METADATA_UNREACHABLE', { failure: 'missing' })
    await fails(other.write(create(newKey())), 'METADATA_UNREACHABLE', { failure: 'missing' })
    other.close()
  })
})

describe('other transactions in the way', () => {
  const busyAlone: Fault = { kind: 'error', status: 400, name: 'TransactionConflictException' }
  const cancelled = (...codes: string[]): Fault => ({
    kind: 'error',
    status: 400,
    name: 'TransactionCanceledException',
    fields: { CancellationReasons: codes.map((Code) => ({ Code })) },
  })

  it('are waited for', async () => {
    const key = newKey()
    proxy.add({ operation: 'PutItem', on: [1, 2, 3], fault: busyAlone })
    expect(await store.write(create(key))).toBe(1)
    proxy.add({ operation: 'TransactWriteItems', on: [1], fault: cancelled('TransactionConflict', 'None') })
    proxy.add({ operation: 'TransactWriteItems', on: [1], fault: cancelled('None', 'ThrottlingError') })
    await store.transact([replace(key, 1), create(newKey())])
    expect((await direct.find(key))?.version).toBe(2)
    expect(proxy.calls.filter((call) => call.fault !== undefined)).toHaveLength(5)
  })

  it('are not waited for for ever', async () => {
    const key = newKey()
    proxy.add({ operation: 'PutItem', fault: busyAlone })
    proxy.add({ operation: 'TransactWriteItems', fault: cancelled('TransactionConflict') })
    await fails(store.write(create(key)), 'METADATA_UNREACHABLE', { failure: 'busy' })
    await fails(store.transact([create(key)]), 'METADATA_UNREACHABLE')
    expect(await direct.find(key)).toBeUndefined()
  })

  it('do not hide that a condition failed', async () => {
    const fault = cancelled('TransactionConflict', 'ConditionalCheckFailed')
    proxy.add({ operation: 'TransactWriteItems', fault })
    await fails(store.transact([create(newKey()), replace(newKey(), 1)]), 'RECORD_CHANGED')
    await fails(store.transact([replace(newKey(), 1), create(newKey())]), 'RECORD_EXISTS')
    expect(proxy.calls).toHaveLength(2)
  })
})

describe('a lost answer, and somebody else before the second attempt', () => {
  /** The second attempt waits in the network until `meanwhile` is done. */
  async function whileRetrying(operation: string, first: Fault, run: () => Promise<unknown>, meanwhile: () => unknown) {
    const { promise, resolve } = Promise.withResolvers<void>()
    proxy.add({ operation, on: [1], fault: first })
    proxy.add({ operation, on: [1], fault: { kind: 'hold', until: promise } })
    const running = run()
    running.catch(() => {})
    await expect.poll(() => proxy.calls.length, { interval: 5 }).toBe(2)
    await meanwhile()
    resolve()
    return running
  }

  it('is still a create that happened, when the record was replaced meanwhile', async () => {
    const key = newKey()
    const running = whileRetrying(
      'PutItem',
      { kind: 'reset-after' },
      () => store.write(create(key)),
      () => direct.write(replace(key, 1)),
    )
    expect(await running).toBe(1)
    expect((await direct.find(key))?.version).toBe(2)
  })

  it('is a conflict, when the first attempt never arrived and another one created the record', async () => {
    const key = newKey()
    const running = whileRetrying(
      'PutItem',
      { kind: 'reset-before' },
      () => store.write(create(key, { by: 'us' })),
      () => direct.write(create(key, { by: 'them' })),
    )
    await fails(running, 'RECORD_EXISTS')
    expect((await direct.find(key))?.body).toEqual({ by: 'them' })
  })

  it('is a conflict, when the first attempt never arrived and another one replaced the record', async () => {
    const key = newKey()
    await direct.write(create(key))
    const running = whileRetrying(
      'UpdateItem',
      { kind: 'reset-before' },
      () => store.write(replace(key, 1, { by: 'us' })),
      () => direct.write(replace(key, 1, { by: 'them' })),
    )
    await fails(running, 'RECORD_CHANGED')
    expect(await direct.find(key)).toMatchObject({ body: { by: 'them' }, version: 2 })
  })

  it('is reported as unknown, when a replacement was itself replaced meanwhile', async () => {
    const key = newKey()
    await direct.write(create(key))
    const running = whileRetrying(
      'UpdateItem',
      { kind: 'reset-after' },
      () => store.write(replace(key, 1)),
      () => direct.write(replace(key, 2)),
    )
    await fails(running, 'METADATA_UNREACHABLE', { outcome: 'unknown' })
  })

  it('is still a delete that happened, when the record was made anew meanwhile', async () => {
    const key = newKey()
    await direct.write(create(key))
    const running = whileRetrying(
      'TransactWriteItems',
      { kind: 'reset-after' },
      () => store.write({ kind: 'delete', key, expectedVersion: 1 }),
      () => direct.write(create(key, { fresh: true })),
    )
    expect(await running).toBe(0)
    expect((await direct.find(key))?.body).toEqual({ fresh: true })
  })
})

describe('a call that is repeated with its token', () => {
  it('has its effect once, when the caller has given up on the first one', async () => {
    const key = newKey()
    const token = randomUUID()
    proxy.add({ operation: 'TransactWriteItems', on: [1, 2, 3], fault: { kind: 'reset-after' } })
    await fails(store.transact([create(key)], token), 'METADATA_UNREACHABLE', { failure: 'unreachable' })
    await store.transact([create(key)], token)
    expect((await direct.find(key))?.version).toBe(1)
  })
})

describe('an hour of chance', () => {
  it('gives each of 60 increments by 6 writers its effect once, or says that it does not know', async () => {
    const key = newKey()
    await direct.write(create(key, { done: [] }))
    for (const fault of [...NO_EFFECT, ...LOST_ANSWERS.slice(0, 2)]) {
      if (fault.kind !== 'hang') proxy.add({ probability: 0.06, fault })
    }
    const reported: Record<'done' | 'unknown', string[]> = { done: [], unknown: [] }
    const add = async (id: string): Promise<void> => {
      try {
        const record = await store.find(key)
        const done = record?.body['done'] as string[]
        await store.write(replace(key, record?.version as number, { done: [...done, id] }))
        reported.done.push(id)
      } catch (error) {
        if (isBackstopError(error, 'RECORD_CHANGED')) return add(id)
        expect(error).toMatchObject({ code: 'METADATA_UNREACHABLE' })
        reported.unknown.push(id)
      }
    }
    const writer = async (name: string) => {
      for (let n = 0; n < 10; n++) await add(`${name}${n}`)
    }
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(writer))
    const done = (await direct.find(key))?.body['done'] as string[]
    expect(new Set(done).size).toBe(done.length)
    expect(done).toEqual(expect.arrayContaining(reported.done))
    expect([...reported.done, ...reported.unknown]).toEqual(expect.arrayContaining(done))
    expect(reported.done.length).toBeGreaterThan(30)
    expect(proxy.calls.filter((call) => call.fault !== undefined).length).toBeGreaterThan(20)
  })
})
