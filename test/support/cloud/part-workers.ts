/**
 * Workers of the queue of ranges, several at a time: the emulator has one thread for all of its queues and one instance of
 * each function, where the platform has pollers and instances as they are needed. Messages, function and code are the
 * deployed ones; only who takes the next message and hands it to which instance is played here.
 */
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'

const FUNCTIONS_PATH = '/2015-03-31/functions'

/** One range that an instance was given. */
export interface WorkedRange {
  readonly instance: string
  readonly snapshotId: string
  readonly orderId: string
  readonly range: number
  readonly fromMs: number
  readonly toMs: number
}

export interface PartWorkers {
  readonly worked: readonly WorkedRange[]
  stop(): Promise<void>
}

export interface PartQueue {
  readonly endpoint: string
  readonly queueUrl: string
  readonly functionName: string
}

interface Body {
  readonly body: { readonly orderId: string; readonly order: { snapshotId: string; range: { index: number } } }
}

/** Each version of a function has an instance of its own. */
async function publishVersion({ endpoint, functionName }: PartQueue): Promise<string> {
  const path = `${FUNCTIONS_PATH}/${functionName}/versions`
  const response = await fetch(`${endpoint}${path}`, { method: 'POST', body: '{}' })
  const { Version } = (await response.json()) as { Version?: string }
  if (!response.ok || Version === undefined) throw new Error(`${functionName} has no new version: ${response.status}`)
  return Version
}

async function invoke({ endpoint, functionName }: PartQueue, version: string, message: Message): Promise<boolean> {
  const record = {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes,
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:backstop-local-part.fifo',
  }
  const path = `${FUNCTIONS_PATH}/${functionName}/invocations?Qualifier=${version}`
  const response = await fetch(`${endpoint}${path}`, { method: 'POST', body: JSON.stringify({ Records: [record] }) })
  const answer = (await response.json()) as { batchItemFailures?: readonly unknown[] }
  return response.headers.get('x-amz-function-error') === null && answer.batchItemFailures?.length === 0
}

export async function startPartWorkers(queue: PartQueue, count: number): Promise<PartWorkers> {
  const sqs = new SQSClient({
    endpoint: queue.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const worked: WorkedRange[] = []
  let isStopping = false
  const work = async (version: string) => {
    while (!isStopping) {
      const QueueUrl = queue.queueUrl
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MessageSystemAttributeNames: ['All'] }),
      )
      for (const message of Messages) {
        const { orderId, order } = (JSON.parse(message.Body ?? '') as Body).body
        const fromMs = performance.now()
        const isDone = await invoke(queue, version, message)
        if (!isDone) continue
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
        const { snapshotId, range } = order
        worked.push({
          instance: version,
          snapshotId,
          orderId,
          range: range.index,
          fromMs,
          toMs: performance.now(),
        })
      }
    }
  }
  const versions: string[] = []
  for (let index = 0; index < count; index += 1) versions.push(await publishVersion(queue))
  const working = Promise.all(versions.map(work))
  return {
    worked,
    stop: async () => {
      isStopping = true
      await working
      sqs.destroy()
    },
  }
}
