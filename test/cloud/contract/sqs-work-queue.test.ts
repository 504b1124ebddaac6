import { describe, expect, inject, it } from 'vitest'
import type { SqsWorkConsumerOptions } from '#lib/adapters/aws/index.ts'
import { openSqsWorkConsumer, openSqsWorkQueue } from '#lib/adapters/aws/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { type OwnQueues, openOwnQueues, sendRaw } from '#test/support/cloud/sqs.ts'
import { eventually } from '#test/support/eventually.ts'
import { workQueueContract } from '../../contract/work-queue.ts'

const KINDS = ['job', 'left', 'right', 'other']

function openOn(cloud: OwnQueues, queues: Record<string, string>, options: Partial<SqsWorkConsumerOptions> = {}) {
  const ports = { aws: cloud.aws, random: systemRandom, clock: systemClock, queues }
  const sender = openSqsWorkQueue(ports)
  const fast = { waitS: 1, retryDelayMs: () => 0, onFailure: () => undefined }
  const consumer = openSqsWorkConsumer({ ...ports, ...fast, ...options })
  const close = () => {
    sender.close()
    consumer.close()
    cloud.close()
  }
  return { sender, consumer, close }
}

workQueueContract('SQS, FIFO queues', async () => {
  const cloud = openOwnQueues(inject('cloudEndpoint'))
  const created = await Promise.all(KINDS.map(async (kind) => [kind, (await cloud.create({ isFifo: true })).url]))
  const { sender, consumer, close } = openOn(cloud, Object.fromEntries(created))
  const queue = {
    send: sender.send,
    handle: consumer.handle.bind(consumer),
    start: consumer.start.bind(consumer),
    stop: consumer.stop.bind(consumer),
    listDead: consumer.listDead.bind(consumer),
  }
  return { queue, close: async () => close() }
})

describe('work queue: the consumer of SQS itself', () => {
  const open = async (isFifo: boolean, options: Partial<SqsWorkConsumerOptions> = {}) => {
    const cloud = openOwnQueues(inject('cloudEndpoint'))
    const queue = await cloud.create({ isFifo, maxAttempts: 2 })
    const opened = openOn(cloud, { job: queue.url, other: queue.url }, options)
    return { cloud, queue, ...opened }
  }

  it('tries nothing that comes while it stops: that goes back at once', async () => {
    const proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
    proxy.add({ operation: 'ReceiveMessage', on: [1], fault: { kind: 'delay', delayMs: 1_000 } })
    const cloud = openOwnQueues(proxy.endpoint)
    const queue = await cloud.create({ isFifo: true })
    const { sender, consumer, close } = openOn(cloud, { job: queue.url }, { concurrency: 1 })
    const attempts: number[] = []
    consumer.handle('job', async ({ attempt }) => void attempts.push(attempt))
    await sender.send('job', {})
    consumer.start()
    await eventually(() => proxy.calls.some(({ operation }) => operation === 'ReceiveMessage'))
    await consumer.stop()
    expect(attempts).toEqual([])
    consumer.start()
    await eventually(() => attempts.length === 1)
    expect(attempts).toEqual([2])
    await consumer.stop()
    close()
    await proxy.close()
  })

  it('keeps work of several kinds in one queue, and puts aside what is none', async () => {
    const failures: string[] = []
    const onFailure: SqsWorkConsumerOptions['onFailure'] = ({ stage }) => failures.push(stage)
    const { cloud, queue, sender, consumer, close } = await open(false, { onFailure })
    const seen: string[] = []
    consumer.handle('job', async ({ kind }) => void seen.push(kind))
    consumer.handle('other', async ({ kind }) => void seen.push(kind))
    await sendRaw(cloud.sqs, queue.url, 'no JSON')
    for (const kind of ['job', 'other']) await sender.send(kind, {})
    consumer.start()
    await eventually(() => seen.length === 2 && failures.length === 2)
    await consumer.stop()
    expect(failures).toEqual(['message', 'message'])
    expect(await consumer.listDead()).toEqual([])
    close()
  })

  it('lists dead letters again and again, of several groups, oldest first', async () => {
    const { sender, consumer, close } = await open(true)
    consumer.handle('job', () => Promise.reject(new Error('never')))
    for (let n = 0; n < 13; n++) await sender.send('job', { n })
    consumer.start()
    await eventually(async () => (await consumer.listDead()).length === 13, { timeoutMs: 60_000 })
    await consumer.stop()
    for (let round = 0; round < 2; round++) {
      const dead = await consumer.listDead()
      expect(dead.map(({ body }) => body['n'])).toEqual(Array.from({ length: 13 }, (_, n) => n))
      expect(new Set(dead.map(({ attempt }) => attempt))).toEqual(new Set([2]))
    }
    close()
  })

  it('says that a queue without a dead-letter queue puts nothing aside', async () => {
    const { cloud, queue, close } = await open(true)
    const { consumer } = openOn(cloud, { job: queue.deadUrl })
    await expect(consumer.listDead()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('has no dead-letter queue: set its RedrivePolicy'),
    })
    consumer.close()
    close()
  })
})
