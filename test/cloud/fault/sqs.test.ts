import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { SqsWorkConsumerOptions, SqsWorkFailure, SqsWorkQueue } from '#lib/adapters/aws/index.ts'
import { handleSqsBatch, openSqsVisibility, openSqsWorkConsumer, openSqsWorkQueue } from '#lib/adapters/aws/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, WorkItem } from '#lib/ports/index.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { type OwnQueue, type OwnQueues, openOwnQueues, pullBatch, readAll } from '#test/support/cloud/sqs.ts'
import { eventually } from '#test/support/eventually.ts'

describe('SQS on a bad day', () => {
  let proxy: FaultProxy
  let cloud: OwnQueues
  let queue: OwnQueue
  let sender: SqsWorkQueue
  let failures: SqsWorkFailure[]
  const opened: { close(): void }[] = []

  beforeAll(async () => {
    proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
    cloud = openOwnQueues(inject('cloudEndpoint'))
  })
  beforeEach(() => {
    proxy.clear()
    failures = []
  })
  afterAll(async () => {
    for (const one of opened) one.close()
    cloud.close()
    await proxy.close()
  })

  /** Patient: a request that timed out on a busy machine would be sent, and counted, once more. */
  const behindProxy = () => ({ ...cloud.aws, endpoint: proxy.endpoint })

  async function open(isFifo: boolean, requestTimeoutMs = 30_000) {
    queue = await cloud.create({ isFifo, maxAttempts: 3, visibilityS: 1 })
    const aws = { ...behindProxy(), requestTimeoutMs }
    sender = openSqsWorkQueue({ aws, random: systemRandom, queues: { job: queue.url } })
    opened.push(sender)
  }

  function openConsumer(options: Partial<SqsWorkConsumerOptions> = {}) {
    const consumer = openSqsWorkConsumer({
      aws: behindProxy(),
      clock: systemClock,
      random: systemRandom,
      queues: { job: queue.url },
      onFailure: (failure) => failures.push(failure),
      concurrency: 1,
      waitS: 0,
      leaseS: 60,
      retryDelayMs: () => 0,
      ...options,
    })
    opened.push(consumer)
    const seen: WorkItem[] = []
    consumer.handle('job', async (item) => void seen.push(item))
    return { consumer, seen }
  }

  const sendsOnTheWire = () => proxy.calls.filter(({ operation }) => operation === 'SendMessage').length
  const bad = { service: 'sqs' } as const

  it.each<[string, Fault]>([
    ['throttled', { kind: 'throttle' }],
    ['failing', { kind: 'error', status: 500, name: 'InternalFailure' }],
    ['resetting connections', { kind: 'reset-before' }],
    ['silent', { kind: 'hang' }],
  ])('sends once when SQS was %s for two attempts', async (_, fault) => {
    await open(true, fault.kind === 'hang' ? 6_000 : undefined)
    proxy.add({ ...bad, operation: 'SendMessage', on: [1, 2], fault })
    const id = await sender.send('job', { n: 1 })
    expect(id).toMatch(/^work_[0-9a-f]{32}$/)
    expect(sendsOnTheWire()).toBe(3)
    expect(await readAll(cloud.sqs, queue.url)).toEqual(['{"kind":"job","body":{"n":1}}'])
  })

  it.each<[string, Fault]>([
    ['throttled', { kind: 'throttle' }],
    ['failing', { kind: 'error', status: 503, name: 'ServiceUnavailable' }],
    ['unreachable', { kind: 'reset-before' }],
    ['silent', { kind: 'hang' }],
  ])('gives up in time, and says what to do, when SQS stays %s', async (_, fault) => {
    await open(true, fault.kind === 'hang' ? 1_500 : undefined)
    proxy.add({ ...bad, fault })
    const error = await sender.send('job', { secret: 's3cret' }).catch((cause: unknown) => cause)
    if (!isBackstopError(error, 'QUEUE_UNREACHABLE')) throw new Error('not refused as expected', { cause: error })
    expect(error.message).toMatch(/^the queue for "job" failed \([\w.]+\): .{20,}/)
    expect(JSON.stringify([error.message, error.details])).not.toContain('s3cret')
    expect(sendsOnTheWire()).toBe(4)
    expect(await readAll(cloud.sqs, queue.url)).toEqual([])
  })

  it.each<[string, Fault]>([
    ['got lost', { kind: 'reset-after' }],
    ['broke off', { kind: 'truncate' }],
    ['came too late', { kind: 'delay', delayMs: 15_000 }],
  ])(
    'keeps one message on a FIFO queue when the answer %s, and tells its sender the id it is delivered under',
    async (_, fault) => {
      await open(true, fault.kind === 'delay' ? 6_000 : undefined)
      proxy.add({ ...bad, operation: 'SendMessage', on: [1], fault })
      const id = await sender.send('job', { n: 1 }, { groupKey: 'g' })
      expect(sendsOnTheWire()).toBe(2)
      const { consumer, seen } = openConsumer()
      consumer.start()
      await eventually(() => seen.length > 0)
      await consumer.stop()
      expect(seen.map((item) => item.id)).toEqual([id])
      expect(await readAll(cloud.sqs, queue.url)).toEqual([])
    },
  )

  it('delivers the two messages that a lost answer makes on a standard queue under one id', async () => {
    await open(false)
    proxy.add({ ...bad, operation: 'SendMessage', on: [1], fault: { kind: 'reset-after' } })
    const id = await sender.send('job', { n: 1 })
    const { consumer, seen } = openConsumer()
    consumer.start()
    await eventually(() => seen.length === 2)
    await consumer.stop()
    expect(seen.map((item) => item.id)).toEqual([id, id])
  })

  it('goes on consuming when SQS answers again, and said that it did not', async () => {
    await open(true)
    await sender.send('job', { n: 1 })
    const disarm = proxy.add({ ...bad, operation: 'ReceiveMessage', fault: { kind: 'throttle' } })
    const { consumer, seen } = openConsumer({ aws: { ...behindProxy(), attempts: 1 } })
    consumer.start()
    await eventually(() => failures.length >= 2)
    expect(seen).toEqual([])
    disarm()
    await eventually(() => seen.length === 1)
    await consumer.stop()
    expect(failures.every(({ stage, error }) => stage === 'queue' && isBackstopError(error, 'QUEUE_UNREACHABLE'))).toBe(
      true,
    )
  })

  it('loses nothing when the answer to a receive is lost: the item comes back when its lease has passed', async () => {
    await open(false)
    const id = await sender.send('job', { n: 1 })
    proxy.add({ ...bad, operation: 'ReceiveMessage', on: [1], fault: { kind: 'reset-after' } })
    const { consumer, seen } = openConsumer({ leaseS: 3 })
    consumer.start()
    await eventually(() => seen.length === 1)
    await consumer.stop()
    expect(seen).toEqual([{ id, kind: 'job', body: { n: 1 }, attempt: 2 }])
  })

  it('is done with an item whose deletion was answered by nobody', async () => {
    await open(true)
    await sender.send('job', { n: 1 })
    proxy.add({ ...bad, operation: 'DeleteMessage', on: [1], fault: { kind: 'reset-after' } })
    const { consumer, seen } = openConsumer()
    consumer.start()
    await eventually(() => proxy.calls.filter(({ operation }) => operation === 'DeleteMessage').length === 2)
    await consumer.stop()
    expect(seen).toHaveLength(1)
    expect(failures).toEqual([])
    expect(await consumer.listDead()).toEqual([])
  })

  it('delivers again, under the same id, what could not be deleted', async () => {
    await open(true)
    const id = await sender.send('job', { n: 1 })
    proxy.add({
      ...bad,
      operation: 'DeleteMessage',
      on: [1],
      fault: { kind: 'error', status: 403, name: 'AccessDenied' },
    })
    const { consumer, seen } = openConsumer({ leaseS: 3 })
    consumer.start()
    await eventually(() => seen.length === 2)
    await consumer.stop()
    expect(seen.map((item) => [item.id, item.attempt])).toEqual([
      [id, 1],
      [id, 2],
    ])
    expect(failures.map(({ stage }) => stage)).toEqual(['queue'])
  })

  it('finishes work although no sign of life gets through, and reports each', async () => {
    await open(true)
    await sender.send('job', { n: 1 })
    const event = await pullBatch(cloud.sqs, queue, 30)
    proxy.add({ ...bad, operation: 'ChangeMessageVisibility', fault: { kind: 'throttle' } })
    const visibility = openSqsVisibility({ ...behindProxy(), attempts: 1 }, queue.url)
    opened.push(visibility)
    const ports = {
      visibility,
      clock: systemClock,
      leaseS: 1,
      remainingMs: () => 60_000,
      onFailure: (failure: SqsWorkFailure) => failures.push(failure),
    }
    const job = async () => void (await eventually(() => failures.length >= 2))
    expect(await handleSqsBatch(event, { job }, ports)).toEqual({ batchItemFailures: [] })
    expect(
      failures.every(({ stage, messageId }) => stage === 'queue' && messageId === event.Records[0]?.messageId),
    ).toBe(true)
  })

  it('returns a failed item also when its wait cannot be set: the queue’s own timeout stands', async () => {
    await open(true)
    await sender.send('job', { n: 1 })
    const event = await pullBatch(cloud.sqs, queue, 1)
    proxy.add({
      ...bad,
      operation: 'ChangeMessageVisibility',
      fault: { kind: 'error', status: 500, name: 'InternalFailure' },
    })
    const visibility = openSqsVisibility({ ...behindProxy(), attempts: 1 }, queue.url)
    opened.push(visibility)
    const onFailure = (failure: SqsWorkFailure) => failures.push(failure)
    const ports = { visibility, clock: systemClock, leaseS: 30, remainingMs: () => 60_000, onFailure }
    const { batchItemFailures } = await handleSqsBatch(event, { job: () => Promise.reject(new Error('no')) }, ports)
    expect(batchItemFailures).toEqual([{ itemIdentifier: event.Records[0]?.messageId }])
    expect(failures.map(({ stage }) => stage).sort()).toEqual(['queue', 'work'])
    await eventually(async () => (await pullBatch(cloud.sqs, queue)).Records.length === 1)
  })

  it('gives signs of life whatever the clock on the wall does', async () => {
    await open(false)
    await sender.send('job', { n: 1 })
    const event = await pullBatch(cloud.sqs, queue, 9)
    const jumps = [0, 86_400_000_000, -86_400_000_000]
    let look = 0
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + (jumps[look++ % 3] as number) }
    const visibility = openSqsVisibility(cloud.aws, queue.url)
    opened.push(visibility)
    const ports = { visibility, clock, leaseS: 9, remainingMs: () => 60_000, onFailure: () => undefined }
    let stolen = 0
    const job = async () => {
      const deadline = performance.now() + 11_000
      await eventually(async () => {
        stolen += (await pullBatch(cloud.sqs, queue)).Records.length
        return performance.now() > deadline
      })
    }
    await handleSqsBatch(event, { job }, ports)
    expect(stolen).toBe(0)
  })

  it('says what to do when the dead letters cannot be read', async () => {
    await open(true)
    const { consumer } = openConsumer()
    proxy.add({ ...bad, operation: 'GetQueueAttributes', fault: { kind: 'error', status: 403, name: 'AccessDenied' } })
    await expect(consumer.listDead()).rejects.toMatchObject({
      code: 'QUEUE_UNREACHABLE',
      message: expect.stringContaining("check the role's policy"),
    })
  })

  it('lets go of the dead letters that it had read when reading fails half way', async () => {
    await open(true)
    await sender.send('job', { n: 1 })
    const { consumer } = openConsumer()
    consumer.handle('job', () => Promise.reject(new Error('never')))
    consumer.start()
    await eventually(async () => (await consumer.listDead()).length === 1)
    await consumer.stop()
    proxy.clear()
    proxy.add({ ...bad, operation: 'ReceiveMessage', on: [2, 3, 4, 5], fault: { kind: 'throttle' } })
    await expect(consumer.listDead()).rejects.toMatchObject({ code: 'QUEUE_UNREACHABLE' })
    proxy.clear()
    expect(await consumer.listDead()).toHaveLength(1)
  })
})
