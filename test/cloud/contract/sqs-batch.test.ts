import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { OpenedSqsVisibility, SqsBatchPorts, SqsWorkFailure, SqsWorkQueue } from '#lib/adapters/aws/index.ts'
import { handleSqsBatch, openSqsVisibility, openSqsWorkQueue } from '#lib/adapters/aws/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { WorkHandler, WorkItem } from '#lib/ports/index.ts'
import {
  acknowledge,
  type OwnQueue,
  type OwnQueues,
  openOwnQueues,
  pullBatch,
  readAll,
  sendRaw,
} from '#test/support/cloud/sqs.ts'
import { eventually } from '#test/support/eventually.ts'

describe('work queue: batches that the platform pulls from SQS', () => {
  let cloud: OwnQueues
  let queue: OwnQueue
  let sender: SqsWorkQueue
  let visibility: OpenedSqsVisibility
  let failures: SqsWorkFailure[]
  let ports: SqsBatchPorts
  const opened: { close(): void }[] = []

  beforeAll(() => {
    cloud = openOwnQueues(inject('cloudEndpoint'))
  })
  beforeEach(() => {
    failures = []
  })
  afterAll(() => {
    for (const one of opened) one.close()
    cloud.close()
  })

  async function open(options: { isFifo?: boolean; maxAttempts?: number } = {}) {
    queue = await cloud.create(options)
    sender = openSqsWorkQueue({ aws: cloud.aws, random: systemRandom, queues: { job: queue.url, other: queue.url } })
    visibility = openSqsVisibility(cloud.aws, queue.url)
    opened.push(sender, visibility)
    ports = {
      visibility,
      clock: systemClock,
      leaseS: 30,
      remainingMs: () => 60_000,
      retryDelayMs: () => 0,
      onFailure: (failure) => failures.push(failure),
    }
  }

  /** One turn of the platform: pull, call, delete what did not fail. */
  async function turn(handler: WorkHandler, changed: Partial<SqsBatchPorts> = {}) {
    const event = await pullBatch(cloud.sqs, queue)
    const { batchItemFailures } = await handleSqsBatch(event, { job: handler }, { ...ports, ...changed })
    await acknowledge(cloud.sqs, queue, event, batchItemFailures)
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    return event.Records.map(({ messageId, body }) => ({ body: JSON.parse(body).body, failed: failed.has(messageId) }))
  }
  const reasons = () => failures.map(({ stage, error }) => `${stage}: ${(error as Error).message}`)

  it('returns those alone that failed, and delivers them again with their count', async () => {
    await open()
    for (let n = 0; n < 4; n++) await sender.send('job', { n })
    const seen: [unknown, number][] = []
    const handler: WorkHandler = async ({ body, attempt }) => {
      seen.push([body['n'], attempt])
      if (body['n'] === 2 && attempt < 3) throw new Error('not yet')
    }
    const first = await turn(handler)
    expect(first.filter(({ failed }) => failed).map(({ body }) => body)).toEqual([{ n: 2 }])
    await turn(handler)
    await turn(handler)
    expect(seen.filter(([n]) => n === 2)).toEqual([
      [2, 1],
      [2, 2],
      [2, 3],
    ])
    expect(seen).toHaveLength(6)
    expect(reasons()).toEqual(['work: not yet', 'work: not yet'])
    expect(await turn(handler)).toEqual([])
  })

  it('puts a poisoned message aside without holding up the others, and shows nothing of it', async () => {
    await open()
    const poison = [
      '{"kind":"job",',
      '[1]',
      '"s3cret"',
      '{"kind":7,"body":{}}',
      '{"kind":"job","body":"s3cret"}',
      '{"id":""}',
    ]
    for (const body of poison) await sendRaw(cloud.sqs, queue.url, body)
    await sender.send('other', { n: 's3cret' })
    await sender.send('job', { n: 1 })
    const seen: WorkItem[] = []
    const handler: WorkHandler = async (item) => {
      seen.push(item)
    }
    for (let round = 0; round < 3; round++) {
      const event = await pullBatch(cloud.sqs, queue)
      const { batchItemFailures } = await handleSqsBatch(event, { job: handler }, ports)
      await acknowledge(cloud.sqs, queue, event, batchItemFailures)
      expect(batchItemFailures).toHaveLength(7)
    }
    expect((await pullBatch(cloud.sqs, queue)).Records).toEqual([])
    expect(seen.map(({ body }) => body)).toEqual([{ n: 1 }])
    const dead = await readAll(cloud.sqs, queue.deadUrl)
    expect(dead.filter((body) => poison.includes(body)).sort()).toEqual([...poison].sort())
    expect(dead).toHaveLength(7)
    expect(new Set(reasons())).toEqual(
      new Set([
        'message: the message holds no work: it is not JSON',
        'message: the message holds no work: it is no JSON object',
        'message: the message holds no work: it names no kind of work',
        'message: the message holds no work: it has no body',
        'work: nobody here handles work of the kind "other"',
      ]),
    )
    expect(reasons().join()).not.toContain('s3cret')
  })

  it('ends a FIFO group at its first failure, in the order of the group, and goes on with the other groups', async () => {
    await open({ isFifo: true })
    for (let n = 0; n < 4; n++) await sender.send('job', { n }, { groupKey: 'a' })
    await sender.send('job', { n: 'b' }, { groupKey: 'b' })
    const seen: unknown[] = []
    const handler: WorkHandler = async ({ body, attempt }) => {
      if (body['n'] === 1 && attempt < 2) throw new Error('not yet')
      seen.push(body['n'])
    }
    const first = await turn(handler)
    expect(first.filter(({ failed }) => failed).map(({ body }) => body)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    expect([...seen].sort()).toEqual([0, 'b'])
    expect((await turn(handler)).map(({ body }) => body)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    expect(seen.filter((n) => n !== 'b')).toEqual([0, 1, 2, 3])
  })

  it('goes on with a FIFO group when its poisoned message has been put aside', async () => {
    await open({ isFifo: true, maxAttempts: 5 })
    await sendRaw(cloud.sqs, queue.url, 'no JSON', 'a')
    await sendRaw(cloud.sqs, queue.url, '{"kind":"job","body":{"n":1}}', 'a')
    const seen: unknown[] = []
    for (let round = 0; round < 8 && seen.length === 0; round++) {
      const event = await pullBatch(cloud.sqs, queue, 30, 1)
      const handler: WorkHandler = async ({ body }) => void seen.push(body['n'])
      const { batchItemFailures } = await handleSqsBatch(event, { job: handler }, ports)
      await acknowledge(cloud.sqs, queue, event, batchItemFailures)
    }
    expect(seen).toEqual([1])
    expect(await readAll(cloud.sqs, queue.deadUrl)).toEqual(['no JSON'])
  })

  it('hands a duplicate delivery to the handler under the same id', async () => {
    for (const isFifo of [false, true]) {
      await open({ isFifo })
      const id = await sender.send('job', { n: 1 })
      const event = await pullBatch(cloud.sqs, queue)
      const twice = { Records: [...event.Records, ...event.Records] }
      const done = new Map<string, number>()
      const handler: WorkHandler = async (item) => void done.set(item.id, (done.get(item.id) ?? 0) + 1)
      expect(await handleSqsBatch(twice, { job: handler }, ports)).toEqual({ batchItemFailures: [] })
      expect([...done]).toEqual([[id, 2]])
    }
  })

  it('waits longer after each failure', async () => {
    await open()
    await sender.send('job', {})
    const asked: number[] = []
    const spy = { hideFor: async (_: string, seconds: number) => void asked.push(seconds) }
    const event = await pullBatch(cloud.sqs, queue)
    const { retryDelayMs: _fast, ...growing } = { ...ports, visibility: spy }
    for (const count of ['1', '2', '3', '4', '11', '100']) {
      const Records = event.Records.map((record) => ({ ...record, attributes: { ApproximateReceiveCount: count } }))
      await handleSqsBatch({ Records }, { job: () => Promise.reject(new Error('no')) }, growing)
    }
    expect(asked).toEqual([1, 2, 4, 8, 900, 900])
  })

  it('really hides a failed message for its wait', async () => {
    await open()
    await sender.send('job', {})
    await turn(() => Promise.reject(new Error('no')), { retryDelayMs: () => 8_000 })
    expect((await pullBatch(cloud.sqs, queue)).Records).toEqual([])
    await eventually(async () => (await pullBatch(cloud.sqs, queue)).Records.length === 1)
  })

  it('keeps a message hidden for as long as its handler lives, longer than any visibility timeout', async () => {
    await open()
    await sender.send('job', {})
    const event = await pullBatch(cloud.sqs, queue, 9)
    let stolen = 0
    const handler: WorkHandler = async () => {
      const deadline = performance.now() + 11_000
      await eventually(async () => {
        stolen += (await pullBatch(cloud.sqs, queue)).Records.length
        return performance.now() > deadline
      })
    }
    expect(await handleSqsBatch(event, { job: handler }, { ...ports, leaseS: 9 })).toEqual({ batchItemFailures: [] })
    expect(stolen).toBe(0)
  })

  it('keeps hidden what is done and what waits until the batch is over', async () => {
    await open()
    for (const n of ['done', 'long', 'waiting']) await sender.send('job', { n })
    const event = await pullBatch(cloud.sqs, queue, 9)
    let stolen = 0
    const handler: WorkHandler = async ({ body }) => {
      if (body['n'] !== 'long') return
      const deadline = performance.now() + 11_000
      await eventually(async () => {
        stolen += (await pullBatch(cloud.sqs, queue)).Records.length
        return performance.now() > deadline
      })
    }
    const one = { ...ports, leaseS: 9, concurrency: 1 }
    expect(await handleSqsBatch(event, { job: handler }, one)).toEqual({ batchItemFailures: [] })
    expect(stolen).toBe(0)
  })

  it('gives a message free soon after the function that held it was cut off', async () => {
    await open()
    await sender.send('job', {})
    const event = await pullBatch(cloud.sqs, queue, 900)
    const cutOff = { ...ports, leaseS: 300, remainingMs: () => 1_000, reserveMs: 0 }
    const { promise, resolve } = Promise.withResolvers<void>()
    const batch = handleSqsBatch(event, { job: () => promise }, cutOff)
    await eventually(async () => (await pullBatch(cloud.sqs, queue)).Records.length === 1)
    resolve()
    await batch
  })

  it('begins nothing that it has no time left for, and returns it at once', async () => {
    await open()
    for (let n = 0; n < 3; n++) await sender.send('job', { n })
    let runs = 0
    const handler: WorkHandler = async () => void runs++
    const remainingMs = () => (runs === 0 ? 10_000 : 1_999)
    const turned = await turn(handler, { remainingMs, concurrency: 1 })
    expect(turned.map(({ failed }) => failed)).toEqual([false, true, true])
    expect((await pullBatch(cloud.sqs, queue)).Records).toHaveLength(2)
  })

  it('takes a FIFO message without a group for one group with the others of its kind', async () => {
    await open({ isFifo: true })
    for (let n = 0; n < 3; n++) await sender.send('job', { n }, { groupKey: `${n}` })
    const event = await pullBatch(cloud.sqs, queue)
    const Records = event.Records.map((record) => ({ ...record, attributes: {} }))
    const seen: JsonObject[] = []
    const handler: WorkHandler = async ({ body }) => {
      seen.push(body)
      throw new Error('no')
    }
    expect((await handleSqsBatch({ Records }, { job: handler }, ports)).batchItemFailures).toHaveLength(3)
    expect(seen).toEqual([{ n: 0 }])
  })
})

describe('work queue: what SQS cannot keep', () => {
  const open = async (isFifo: boolean) => {
    const cloud = openOwnQueues(inject('cloudEndpoint'))
    const queue = await cloud.create({ isFifo })
    const sender = openSqsWorkQueue({ aws: cloud.aws, random: systemRandom, queues: { job: queue.url } })
    return { cloud, queue, sender }
  }

  it.each([
    [true, { delayMs: 1 }, 'a FIFO queue delays no single message'],
    [false, { dedupeKey: 'k' }, 'a standard queue keeps no order and sees no duplicates'],
    [false, { groupKey: 'g' }, 'a standard queue keeps no order and sees no duplicates'],
    [false, { delayMs: 900_001 }, 'SQS delays by 900 seconds at most, not by 901'],
    [false, { delayMs: Number.NaN }, 'its delay must be 0 or more milliseconds'],
  ])('refuses on a queue that is FIFO: %s the option %o', async (isFifo, options, reason) => {
    const { cloud, queue, sender } = await open(isFifo)
    await expect(sender.send('job', {}, options)).rejects.toMatchObject({
      code: 'WORK_INVALID',
      message: expect.stringContaining(reason),
    })
    expect(await readAll(cloud.sqs, queue.url)).toEqual([])
  })

  it('refuses a message above 256 KiB before it is sent, and takes the largest below', async () => {
    const { cloud, queue, sender } = await open(true)
    const frame = Buffer.byteLength('{"kind":"job","body":{"text":""}}')
    await expect(sender.send('job', { text: 'ü'.repeat(131_072) })).rejects.toMatchObject({ code: 'WORK_TOO_LARGE' })
    await sender.send('job', { text: 'x'.repeat(262_144 - frame) })
    await expect(sender.send('job', { text: 'x'.repeat(262_145 - frame) })).rejects.toMatchObject({
      details: { sizeBytes: 262_145, limitBytes: 262_144 },
    })
    expect((await readAll(cloud.sqs, queue.url)).map((body) => body.length)).toEqual([262_144])
  })

  it('refuses a kind that has no queue, and names those that have', async () => {
    const { sender } = await open(true)
    await expect(sender.send('toString', {})).rejects.toMatchObject({
      code: 'WORK_INVALID',
      message: 'no queue is set for work of the kind "toString", only for: job',
    })
  })

  it('delays a message on a standard queue', async () => {
    const { cloud, queue, sender } = await open(false)
    await sender.send('job', {}, { delayMs: 8_001 })
    expect((await pullBatch(cloud.sqs, queue)).Records).toEqual([])
    await eventually(async () => (await pullBatch(cloud.sqs, queue)).Records.length === 1)
  })

  it('carries every character of Unicode, keys of any length and none that SQS refuses', async () => {
    const { cloud, queue, sender } = await open(true)
    const text = '\u0000\u0001\u000b\u001f\u007f\ufffe\uffff\ud83d\udcbe half: \ud83d'
    const key = `ä "' \n${'k'.repeat(5_000)}`
    await sender.send('job', { text }, { dedupeKey: key, groupKey: key })
    const [body] = await readAll(cloud.sqs, queue.url)
    expect(JSON.parse(body as string).body).toEqual({ text })
  })
})
