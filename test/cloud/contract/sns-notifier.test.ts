import { CreateTopicCommand, SetSubscriptionAttributesCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { describe, expect, inject, it } from 'vitest'
import {
  createAlertHandler,
  createQueueNotifier,
  createSnsNotifier,
  decodeAlertWork,
  handleSqsBatch,
  openSqsVisibility,
  openSqsWorkQueue,
} from '#lib/adapters/aws/index.ts'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { JsonObject } from '#lib/kernel/index.ts'
import { buildAlertDocument, type WorkHandler } from '#lib/ports/index.ts'
import { acknowledge, type OwnQueue, type OwnQueues, openOwnQueues, pullBatch } from '#test/support/cloud/sqs.ts'
import { eventually } from '#test/support/eventually.ts'
import type { OpenedNotifier } from '../../contract/notifier.ts'
import { notifierContract, sampleAlert } from '../../contract/notifier.ts'

/** What the event source mapping does: pull, call, and delete what did not fail. */
async function pump(cloud: OwnQueues, queue: OwnQueue, handler: WorkHandler): Promise<void> {
  const visibility = openSqsVisibility(cloud.aws, queue.url)
  const ports = { visibility, clock: systemClock, leaseS: 30, remainingMs: () => 30_000, onFailure: () => undefined }
  const event = await pullBatch(cloud.sqs, queue)
  const { batchItemFailures } = await handleSqsBatch(event, { alert: handler }, ports)
  await acknowledge(cloud.sqs, queue, event, batchItemFailures)
  visibility.close()
}

async function openQueueNotifier() {
  const cloud = openOwnQueues(inject('cloudEndpoint'))
  const queue = await cloud.create({ isFifo: true })
  const open = (url: string) => openSqsWorkQueue({ aws: cloud.aws, random: systemRandom, queues: { alert: url } })
  const [sender, nowhere] = [open(queue.url), open(queue.url.replace('.fifo', '-gone.fifo'))]
  const close = async () => {
    sender.close()
    nowhere.close()
    cloud.close()
  }
  const notifier = createQueueNotifier({ queue: sender })
  return { cloud, queue, notifier, broken: createQueueNotifier({ queue: nowhere }), close }
}

/** A topic, and a queue that shows what arrived there. */
async function openTopic(cloud: OwnQueues, attributes: Record<string, string> = {}) {
  const { TopicArn } = await cloud.sns.send(new CreateTopicCommand({ Name: `alerts-${systemClock.nowMs()}` }))
  const topicArn = TopicArn as string
  const inbox = await cloud.create()
  const { SubscriptionArn } = await cloud.sns.send(
    new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: inbox.arn, ReturnSubscriptionArn: true }),
  )
  for (const [AttributeName, AttributeValue] of Object.entries(attributes)) {
    await cloud.sns.send(new SetSubscriptionAttributesCommand({ SubscriptionArn, AttributeName, AttributeValue }))
  }
  const envelopes: JsonObject[] = []
  const arrived = async () => {
    const event = await pullBatch(cloud.sqs, inbox)
    envelopes.push(...event.Records.map(({ body }) => JSON.parse(body)))
    await acknowledge(cloud.sqs, inbox, event, [])
    return envelopes
  }
  return { topicArn, arrived }
}

notifierContract("the relay's queue on SQS", async (): Promise<OpenedNotifier> => {
  const { cloud, queue, ...opened } = await openQueueNotifier()
  const documents: JsonObject[] = []
  const received = async () => {
    await pump(cloud, queue, async ({ body }) => {
      documents.push(buildAlertDocument(decodeAlertWork(body)))
    })
    return documents
  }
  return { ...opened, received }
})

notifierContract('queue, relay and SNS topic', async (): Promise<OpenedNotifier> => {
  const { cloud, queue, ...opened } = await openQueueNotifier()
  const { topicArn, arrived } = await openTopic(cloud)
  const topic = createSnsNotifier({ aws: cloud.aws, topicArn })
  const records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
  const handler = createAlertHandler([topic], { records, clock: systemClock })
  const received = async () => {
    await pump(cloud, queue, handler)
    return (await arrived()).map((envelope) => JSON.parse(envelope['Message'] as string))
  }
  const close = async () => {
    topic.close()
    await records.close()
    await opened.close()
  }
  return { ...opened, received, close }
})

describe('notifier: the SNS topic itself', () => {
  it('gives a mail a subject that SNS takes, and a filter what it filters by', async () => {
    const cloud = openOwnQueues(inject('cloudEndpoint'))
    const { topicArn, arrived } = await openTopic(cloud, {
      FilterPolicy: JSON.stringify({ severity: ['critical'], eventType: [{ prefix: 'approval_' }] }),
    })
    const topic = createSnsNotifier({ aws: cloud.aws, topicArn })
    await topic.notify({ ...sampleAlert, id: 'alrt_quiet', severity: 'info' })
    await topic.notify({ ...sampleAlert, id: 'alrt_other', eventType: 'table_drop_detected' })
    await topic.notify(sampleAlert)
    const envelopes = await eventually(async () => ((await arrived()).length > 0 ? await arrived() : undefined))
    expect(envelopes.map((envelope) => JSON.parse(envelope['Message'] as string)['id'])).toEqual(['alrt_1'])
    expect(envelopes[0]?.['Subject']).toBe('[production] CRITICAL: DROP TABLE waits for a decision ? ?now?')
    expect(envelopes[0]?.['MessageAttributes']).toMatchObject({
      severity: { Type: 'String', Value: 'critical' },
      eventType: { Type: 'String', Value: 'approval_requested' },
      environment: { Type: 'String', Value: 'production' },
    })
    topic.close()
    cloud.close()
  })

  it('cuts an alert that no topic could carry, and says so in it', async () => {
    const cloud = openOwnQueues(inject('cloudEndpoint'))
    const { topicArn, arrived } = await openTopic(cloud)
    const topic = createSnsNotifier({ aws: cloud.aws, topicArn })
    const facts = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`fact_${n}`, '"'.repeat(100)]))
    await topic.notify({ ...sampleAlert, title: '💾'.repeat(9_000), facts })
    const [envelope] = await eventually(async () => ((await arrived()).length > 0 ? await arrived() : undefined))
    const document = JSON.parse(envelope?.['Message'] as string)
    expect(document.facts).toEqual({ facts_omitted: true, facts_size_bytes: 1_073_891 })
    expect([...document.title]).toHaveLength(501)
    topic.close()
    cloud.close()
  })
})
