/** The sending side of work on SQS. */
import type { SendMessageCommandOutput } from '@aws-sdk/client-sqs'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, ID_BYTES } from '#lib/kernel/index.ts'
import type { Random, SendOptions, WorkQueue } from '#lib/ports/index.ts'
import type { AwsClientSettings } from '../client.ts'
import { awsClientConfig } from '../client.ts'
import { mapAwsError } from '../failure.ts'
import { encodeWorkMessage } from './message.ts'
import { isFifoQueue, planPlace } from './place.ts'

export interface SqsWorkQueueOptions {
  readonly aws: AwsClientSettings
  readonly random: Random
  /** Kind of work → URL of its queue. Kinds may share one. A dedupe or group key takes a FIFO queue. */
  readonly queues: Readonly<Record<string, string>>
}

export interface SqsWorkQueue extends WorkQueue {
  close(): void
}

/**
 * Work on SQS.
 *
 * Invariants: a send whose answer was lost is repeated by the client. A FIFO queue keeps the two one, by their deduplication
 *             id; on a standard queue they are two messages with one item id
 * Throws:     WORK_INVALID for an unknown kind and for what the queue cannot keep, WORK_TOO_LARGE, QUEUE_UNREACHABLE
 */
export function openSqsWorkQueue(options: SqsWorkQueueOptions): SqsWorkQueue {
  // A duplicate is answered with the first one's checksum too, which is not that of this body.
  const client = new SQSClient({ ...awsClientConfig(options.aws), md5: false })
  return {
    send: (kind, body, sendOptions = {}) => send(client, options, kind, body, sendOptions),
    close: () => client.destroy(),
  }
}

async function send(
  client: SQSClient,
  { queues, random }: SqsWorkQueueOptions,
  kind: string,
  body: JsonObject,
  options: SendOptions,
): Promise<string> {
  const queueUrl = findQueue(queues, kind)
  const id = `work_${Buffer.from(random.bytes(ID_BYTES)).toString('hex')}`
  const isFifo = isFifoQueue(queueUrl)
  const { correlationId } = options
  const message = { ...(!isFifo && { id }), kind, body, ...(correlationId !== undefined && { correlationId }) }
  const place = planPlace(queueUrl, kind, options, id)
  const command = new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: encodeWorkMessage(message), ...place })
  const sent = await client.send(command).catch((cause: unknown) => {
    throw mapAwsError(cause, { code: 'QUEUE_UNREACHABLE', resource: `the queue for "${kind}"` })
  })
  return isFifo ? itemIdOf(idOfSent(sent, kind)) : id
}

/** A FIFO queue answers a duplicate with the first one's identity: so both senders and every receiver say the same. */
export function itemIdOf(messageId: string): string {
  return `work_${messageId.replaceAll('-', '')}`
}

function idOfSent({ MessageId }: SendMessageCommandOutput, kind: string): string {
  if (MessageId !== undefined) return MessageId
  throw new BackstopError('QUEUE_UNREACHABLE', `the queue for "${kind}" answered without a message id`)
}

/** Throws WORK_INVALID. */
function findQueue(queues: Readonly<Record<string, string>>, kind: string): string {
  const url = Object.hasOwn(queues, kind) ? queues[kind] : undefined
  if (url !== undefined) return url
  const known = Object.keys(queues).sort()
  throw new BackstopError(
    'WORK_INVALID',
    `no queue is set for work of the kind "${kind}", only for: ${known.join(', ')}`,
  )
}
