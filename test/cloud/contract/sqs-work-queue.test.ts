import { inject } from 'vitest'
import { openSqsWorkConsumer, openSqsWorkQueue } from '#lib/adapters/aws/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { openOwnQueues } from '#test/support/cloud/sqs.ts'
import { workQueueContract } from '../../contract/work-queue.ts'

const KINDS = ['job', 'left', 'right', 'other']

workQueueContract('SQS, FIFO queues', async () => {
  const cloud = openOwnQueues(inject('cloudEndpoint'))
  const created = await Promise.all(KINDS.map(async (kind) => [kind, (await cloud.create({ isFifo: true })).url]))
  const queues = Object.fromEntries(created)
  const ports = { aws: cloud.aws, random: systemRandom, clock: systemClock, queues }
  const sender = openSqsWorkQueue(ports)
  const consumer = openSqsWorkConsumer({ ...ports, waitS: 1, retryDelayMs: () => 0, onFailure: () => undefined })
  const queue = {
    send: sender.send,
    handle: consumer.handle.bind(consumer),
    start: consumer.start.bind(consumer),
    stop: consumer.stop.bind(consumer),
    listDead: consumer.listDead.bind(consumer),
  }
  const close = async () => {
    sender.close()
    consumer.close()
    cloud.close()
  }
  return { queue, close }
})
