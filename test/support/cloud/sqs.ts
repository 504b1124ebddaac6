/** Queues and topics of a test's own account in the local cloud. */
import { randomInt, randomUUID } from 'node:crypto'
import { SNSClient } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { AwsClientSettings, SqsBatchEvent, SqsBatchResponse } from '#lib/adapters/aws/index.ts'
import { awsClientConfig } from '#lib/adapters/aws/index.ts'

/** An account that no other test uses. */
export function ownAccount(endpoint: string): AwsClientSettings {
  const accessKeyId = String(randomInt(100_000_000_000, 1_000_000_000_000 - 1))
  return {
    region: 'eu-central-1',
    endpoint,
    credentials: { accessKeyId, secretAccessKey: 'test' },
    // What a client gives up on a busy machine it sends once more.
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  }
}

export interface OwnQueues {
  readonly aws: AwsClientSettings
  readonly sqs: SQSClient
  readonly sns: SNSClient
  /** A queue with a dead-letter queue of the same type. */
  create(options?: QueueOptions): Promise<OwnQueue>
  close(): void
}

export interface QueueOptions {
  readonly isFifo?: boolean
  readonly maxAttempts?: number // default 3
  readonly visibilityS?: number // default 30
}

export interface OwnQueue {
  readonly url: string
  readonly arn: string
  readonly deadUrl: string
}

export function openOwnQueues(endpoint: string): OwnQueues {
  const aws = ownAccount(endpoint)
  const sqs = new SQSClient(awsClientConfig(aws))
  const sns = new SNSClient(awsClientConfig(aws))
  return {
    aws,
    sqs,
    sns,
    create: (options = {}) => createWithDead(sqs, options),
    close: () => {
      sqs.destroy()
      sns.destroy()
    },
  }
}

async function createWithDead(sqs: SQSClient, options: QueueOptions): Promise<OwnQueue> {
  const suffix = options.isFifo ? '.fifo' : ''
  const base: Record<string, string> = options.isFifo ? { FifoQueue: 'true' } : {}
  const name = `q-${randomUUID()}`
  const dead = await createQueue(sqs, `${name}-dead${suffix}`, base)
  const redrive = { deadLetterTargetArn: dead.arn, maxReceiveCount: options.maxAttempts ?? 3 }
  const queue = await createQueue(sqs, `${name}${suffix}`, {
    ...base,
    VisibilityTimeout: String(options.visibilityS ?? 30),
    RedrivePolicy: JSON.stringify(redrive),
  })
  return { ...queue, deadUrl: dead.url }
}

async function createQueue(sqs: SQSClient, QueueName: string, Attributes: Record<string, string>) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
  const url = QueueUrl as string
  const found = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }))
  return { url, arn: found.Attributes?.['QueueArn'] as string }
}

export async function sendRaw(sqs: SQSClient, QueueUrl: string, MessageBody: string, group?: string): Promise<void> {
  const place = group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: randomUUID() }
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...place }))
}

/** What the platform hands to a function: a batch of an event source mapping. */
export async function pullBatch(sqs: SQSClient, { url, arn }: OwnQueue, visibilityS = 30, count = 10) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: count,
      VisibilityTimeout: visibilityS,
      MessageSystemAttributeNames: ['All'],
    }),
  )
  const Records = Messages.map(({ MessageId, ReceiptHandle, Body, Attributes }) => ({
    messageId: MessageId as string,
    receiptHandle: ReceiptHandle as string,
    body: Body as string,
    attributes: Attributes ?? {},
    eventSourceARN: arn,
  }))
  return { Records }
}

/** What the platform does with the answer: it deletes what did not fail. */
export async function acknowledge(
  sqs: SQSClient,
  { url }: OwnQueue,
  { Records }: SqsBatchEvent,
  failures: SqsBatchResponse['batchItemFailures'],
): Promise<void> {
  const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier))
  const done = Records.filter(({ messageId }) => !failed.has(messageId))
  for (const { receiptHandle } of done) {
    await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receiptHandle }))
  }
}

/** The bodies of all visible messages; they are hidden afterwards. */
export async function readAll(sqs: SQSClient, QueueUrl: string): Promise<string[]> {
  const bodies: string[] = []
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) return bodies
    bodies.push(...Messages.map(({ Body }) => Body as string))
  }
}
