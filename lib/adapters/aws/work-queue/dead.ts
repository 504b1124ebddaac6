/** What lies in the dead-letter queue of a queue, without taking it away. */
import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs'
import { BackstopError } from '#lib/kernel/index.ts'
import type { WorkItem } from '#lib/ports/index.ts'
import { readItem } from './deliver.ts'
import { queueNameOf } from './visibility.ts'

export interface DeadItem {
  readonly item: WorkItem
  readonly sentAtMs: number
}

const BATCH = 10
const HELD_S = 30
/** SQS asks all its servers only when a look waits. */
export const DEAD_LOOK_S = 1

/**
 * Every item that was put aside, as far as SQS shows it.
 *
 * Effects: holds the messages while it reads and lets them go afterwards; raises their receive counts
 * Bounds:  of one FIFO group SQS shows ten messages at a time
 * Throws:  CONFIG_INVALID for a queue without a dead-letter queue: then nobody puts anything aside
 */
export async function listDeadItems(client: SQSClient, queueUrl: string): Promise<readonly DeadItem[]> {
  const { deadQueueUrl, maxAttempts } = await findDeadQueue(client, queueUrl)
  const held: Message[] = []
  try {
    for (let page = await look(client, deadQueueUrl); page.length > 0; page = await look(client, deadQueueUrl)) {
      held.push(...page)
    }
  } finally {
    await release(client, deadQueueUrl, held)
  }
  return held.flatMap((message) => readDead(message, maxAttempts))
}

async function look(client: SQSClient, QueueUrl: string): Promise<readonly Message[]> {
  const command = new ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: BATCH,
    VisibilityTimeout: HELD_S,
    WaitTimeSeconds: DEAD_LOOK_S,
    MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
  })
  return (await client.send(command)).Messages ?? []
}

async function release(client: SQSClient, QueueUrl: string, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH) {
    const Entries = messages.slice(start, start + BATCH).map(({ ReceiptHandle }, index) => ({
      Id: String(index),
      ReceiptHandle,
      VisibilityTimeout: 0,
    }))
    await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
  }
}

/** A message that never held work is no item; it stays in the queue for who looks there. The count goes on over here. */
function readDead({ MessageId, Body, Attributes }: Message, maxAttempts: number): readonly DeadItem[] {
  const receiveCount = Number(Attributes?.ApproximateReceiveCount ?? 1)
  const attempt = Math.min(receiveCount, maxAttempts)
  const message = { messageId: MessageId ?? '', receiptHandle: '', body: Body ?? '', attempt }
  try {
    return [{ item: readItem(message), sentAtMs: Number(Attributes?.SentTimestamp ?? 0) }]
  } catch {
    return []
  }
}

interface DeadQueue {
  readonly deadQueueUrl: string
  readonly maxAttempts: number
}

async function findDeadQueue(client: SQSClient, QueueUrl: string): Promise<DeadQueue> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] })
  const policy = (await client.send(command)).Attributes?.['RedrivePolicy']
  if (policy === undefined) {
    throw new BackstopError(
      'CONFIG_INVALID',
      `the queue ${queueNameOf(QueueUrl)} has no dead-letter queue: set its RedrivePolicy`,
    )
  }
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(policy)
  const [account, name] = String(deadLetterTargetArn).split(':').slice(-2)
  const found = await client.send(new GetQueueUrlCommand({ QueueName: name, QueueOwnerAWSAccountId: account }))
  return { deadQueueUrl: found.QueueUrl ?? '', maxAttempts: Number(maxReceiveCount) }
}
