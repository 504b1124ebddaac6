/** The receiving side by long polling, for a process that lives: outside of functions, where the platform pulls. */
import type { Message } from '@aws-sdk/client-sqs'
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { sha256Hex } from '#lib/kernel/index.ts'
import type { Clock, Random, WorkConsumer, WorkHandler, WorkItem } from '#lib/ports/index.ts'
import type { AwsClientSettings } from '../client.ts'
import { awsClientConfig } from '../client.ts'
import { mapAwsError } from '../failure.ts'
import { readAttempt } from './batch.ts'
import { DEAD_LOOK_S, listDeadItems } from './dead.ts'
import type { DeliveryPorts, ReceivedMessage, SqsWorkFailure } from './deliver.ts'
import { hideMessage, holdMessage, tryMessage } from './deliver.ts'
import { isFifoQueue } from './place.ts'
import { createSqsVisibility, queueNameOf } from './visibility.ts'

export interface SqsWorkConsumerOptions {
  readonly aws: AwsClientSettings
  readonly clock: Clock
  readonly random: Random
  /** Kind of work → URL of its queue, whose RedrivePolicy says how many attempts there are and where the dead lie. */
  readonly queues: Readonly<Record<string, string>>
  readonly onFailure: (failure: SqsWorkFailure) => void
  /** Handlers at once, queue by queue; 4 when absent. */
  readonly concurrency?: number
  /** Of one look for work, 0 to 20; 10 when absent. `stop` may take as long. */
  readonly waitS?: number
  /** Whole seconds that an item stays hidden without a sign of life; 60 when absent. */
  readonly leaseS?: number
  /** One second, doubling, at most a quarter of an hour when absent; SQS waits whole seconds. */
  readonly retryDelayMs?: (attempt: number) => number
}

export interface SqsWorkConsumer extends WorkConsumer {
  close(): void
}

const DEFAULT_CONCURRENCY = 4
const DEFAULT_WAIT_S = 10
const DEFAULT_LEASE_S = 60
const PAUSE_AFTER_FAILURE_MS = 1_000
const ANSWER_MS = 3_000

/**
 * Consume work from SQS.
 *
 * Invariants: takes one message at a time for each hand: of several of one FIFO group SQS would count an attempt for those
 *             too that come back untried behind a failure
 */
export function openSqsWorkConsumer(options: SqsWorkConsumerOptions): SqsWorkConsumer {
  return new PollingConsumer(options)
}

class PollingConsumer implements SqsWorkConsumer {
  readonly #options: SqsWorkConsumerOptions
  readonly #client: SQSClient
  readonly #handlers: Record<string, WorkHandler> = Object.create(null)
  readonly #polled = new Set<string>()
  readonly #hands = new Set<Promise<void>>()
  readonly #waitS: number
  #isRunning = false
  #stopping = new AbortController()

  constructor(options: SqsWorkConsumerOptions) {
    this.#options = options
    this.#waitS = options.waitS ?? DEFAULT_WAIT_S
    const answerMs = options.aws.requestTimeoutMs ?? ANSWER_MS
    const requestTimeoutMs = Math.max(this.#waitS, DEAD_LOOK_S) * 1_000 + answerMs
    this.#client = new SQSClient(awsClientConfig({ ...options.aws, requestTimeoutMs }))
  }

  handle(kind: string, handler: WorkHandler): void {
    this.#handlers[kind] = handler
    if (this.#isRunning) this.#poll()
  }

  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#stopping = new AbortController()
    this.#poll()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#stopping.abort()
    while (this.#hands.size > 0) await Promise.all(this.#hands)
    this.#polled.clear()
  }

  close(): void {
    this.#client.destroy()
  }

  async listDead(): Promise<readonly WorkItem[]> {
    const urls = new Set(Object.values(this.#options.queues))
    const found = await Promise.all([...urls].map((url) => this.#ask(url, () => listDeadItems(this.#client, url))))
    const oldestFirst = found.flat().sort((left, right) => left.sentAtMs - right.sentAtMs)
    return oldestFirst.map(({ item }) => item)
  }

  /** Set as many hands as wanted to each queue that has a handler and none yet. */
  #poll(): void {
    for (const kind of Object.keys(this.#handlers)) {
      const url = this.#options.queues[kind]
      if (url === undefined || this.#polled.has(url)) continue
      this.#polled.add(url)
      for (let hand = 0; hand < (this.#options.concurrency ?? DEFAULT_CONCURRENCY); hand++) {
        const work = this.#pollQueue(url).finally(() => this.#hands.delete(work))
        this.#hands.add(work)
      }
    }
  }

  async #pollQueue(url: string): Promise<void> {
    while (this.#isRunning) {
      try {
        const message = await this.#ask(url, () => this.#receive(url))
        if (message !== undefined) await this.#settle(url, message)
      } catch (error) {
        this.#options.onFailure({ stage: 'queue', error })
        await pause(PAUSE_AFTER_FAILURE_MS, this.#stopping.signal)
      }
    }
  }

  /** A FIFO queue answers a repeated receive with the same messages: one whose answer was lost is not hidden from us. */
  async #receive(QueueUrl: string): Promise<ReceivedMessage | undefined> {
    const attemptId = sha256Hex(this.#options.random.bytes(16))
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 1,
      WaitTimeSeconds: this.#waitS,
      VisibilityTimeout: this.#options.leaseS ?? DEFAULT_LEASE_S,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      ...(isFifoQueue(QueueUrl) && { ReceiveRequestAttemptId: attemptId }),
    })
    const [message] = (await this.#client.send(command)).Messages ?? []
    return message === undefined ? undefined : toReceived(message)
  }

  /** What came after the stop goes back untried. */
  async #settle(url: string, message: ReceivedMessage): Promise<void> {
    const ports = this.#portsFor(url)
    if (!this.#isRunning) return await hideMessage(ports, message, 0)
    const letGo = holdMessage(ports, message)
    const outcome = await tryMessage(ports, message)
    await letGo()
    if (outcome.isDone) await this.#ask(url, () => this.#delete(url, message))
    else await hideMessage(ports, message, outcome.retryAfterS)
  }

  /** The answer to the first try may have been lost: then the message is gone by now. */
  async #delete(QueueUrl: string, { receiptHandle }: ReceivedMessage): Promise<void> {
    try {
      await this.#client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receiptHandle }))
    } catch (error) {
      if ((error as Error).name !== 'ReceiptHandleIsInvalid') throw error
    }
  }

  #portsFor(url: string): DeliveryPorts {
    const { clock, retryDelayMs, onFailure } = this.#options
    return {
      handlers: this.#handlers,
      visibility: createSqsVisibility(this.#client, url),
      clock,
      leaseS: this.#options.leaseS ?? DEFAULT_LEASE_S,
      remainingMs: () => Number.POSITIVE_INFINITY,
      onFailure,
      ...(retryDelayMs !== undefined && { retryDelayMs }),
    }
  }

  async #ask<T>(url: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (cause) {
      throw mapAwsError(cause, { code: 'QUEUE_UNREACHABLE', resource: `the queue ${queueNameOf(url)}` })
    }
  }
}

function toReceived({ MessageId, ReceiptHandle, Body, Attributes }: Message): ReceivedMessage {
  return {
    messageId: MessageId ?? '',
    receiptHandle: ReceiptHandle ?? '',
    body: Body ?? '',
    attempt: readAttempt(Attributes?.ApproximateReceiveCount),
  }
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs)
    const wake = () => {
      clearTimeout(timer)
      resolve()
    }
    signal.addEventListener('abort', wake, { once: true })
  })
}
