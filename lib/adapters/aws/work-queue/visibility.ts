/** How long a message that is in hand, or that failed, stays hidden from others. */
import { ChangeMessageVisibilityCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Clock } from '#lib/ports/index.ts'
import type { AwsClientSettings } from '../client.ts'
import { awsClientConfig } from '../client.ts'
import { mapAwsError } from '../failure.ts'

/** SQS hides no message for longer, counted from the moment when it was received. */
export const MAX_VISIBILITY_S = 43_200

/** The one thing that a function does with its queue itself; everything else the platform does. */
export interface SqsVisibility {
  /** From now on; 0: at once visible. Throws QUEUE_UNREACHABLE. */
  hideFor(receiptHandle: string, seconds: number): Promise<void>
}

export interface OpenedSqsVisibility extends SqsVisibility {
  close(): void
}

export function openSqsVisibility(aws: AwsClientSettings, queueUrl: string): OpenedSqsVisibility {
  const client = new SQSClient(awsClientConfig(aws))
  return { ...createSqsVisibility(client, queueUrl), close: () => client.destroy() }
}

export function createSqsVisibility(client: SQSClient, QueueUrl: string): SqsVisibility {
  return {
    async hideFor(ReceiptHandle, VisibilityTimeout) {
      try {
        await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }))
      } catch (cause) {
        throw mapAwsError(cause, { code: 'QUEUE_UNREACHABLE', resource: `the queue ${queueNameOf(QueueUrl)}` })
      }
    },
  }
}

export function queueNameOf(queueUrl: string): string {
  return queueUrl.slice(queueUrl.lastIndexOf('/') + 1)
}

/** One second, doubling, at most a quarter of an hour. */
export function growingDelayMs(attempt: number): number {
  return Math.min(1_000 * 2 ** Math.min(attempt - 1, 20), 900_000)
}

export interface HeartbeatLimits {
  /** Hidden for so long after each sign of life. */
  readonly leaseS: number
  /** What the function has left. */
  readonly remainingMs: number
  /** Since the message came. */
  readonly elapsedMs: number
}

/**
 * How long one more sign of life hides the message; undefined when it must not be given any more.
 *
 * Invariants: never longer than the function can live, so that what it held is free soon after it was cut off; never past
 *             SQS's 12 hours
 */
export function planHeartbeat({ leaseS, remainingMs, elapsedMs }: HeartbeatLimits): number | undefined {
  const leftS = MAX_VISIBILITY_S - Math.ceil(elapsedMs / 1_000)
  const seconds = Math.min(leaseS, Math.ceil(remainingMs / 1_000), leftS)
  return seconds >= 1 ? seconds : undefined
}

export interface HeartbeatPorts {
  readonly visibility: SqsVisibility
  readonly clock: Clock
  readonly leaseS: number
  readonly remainingMs: () => number
  readonly onFailure: (error: unknown) => void
}

/** So late that work of the usual length gives none. */
const FIRST_BEAT_MS = 1_000

/** Give signs of life from now until the returned function has returned: after that none is under way. */
export function startHeartbeat(ports: HeartbeatPorts, receiptHandle: string): () => Promise<void> {
  const startedMs = ports.clock.monotonicMs()
  let beating: Promise<void> = Promise.resolve()
  const beat = async () => {
    const elapsedMs = ports.clock.monotonicMs() - startedMs
    const seconds = planHeartbeat({ leaseS: ports.leaseS, remainingMs: ports.remainingMs(), elapsedMs })
    if (seconds === undefined) return
    await ports.visibility.hideFor(receiptHandle, seconds).catch(ports.onFailure)
  }
  const follow = () => {
    beating = beating.then(beat)
  }
  const everyMs = (ports.leaseS * 1_000) / 3
  let timer = setTimeout(
    () => {
      follow()
      timer = setInterval(follow, everyMs)
    },
    Math.min(FIRST_BEAT_MS, everyMs),
  )
  return async () => {
    clearTimeout(timer)
    await beating
  }
}
