/** A function that works off a queue: each item by itself, and the failed ones' names back to the platform. */
import type { Context } from 'aws-lambda'
import { handleSqsBatch, openSqsVisibility, type SqsBatchEvent, type SqsVisibility } from '#lib/adapters/aws/index.ts'
import { BackstopError, isBackstopError, type JsonObject } from '#lib/kernel/index.ts'
import type { WorkItem } from '#lib/ports/index.ts'
import { functionChain } from '../chain/function-chain.ts'
import { noteFacts } from '../chain/log-invocation.ts'
import { correlateLog, log } from '../log.ts'
import { once } from '../once.ts'
import { awsSettings, SYSTEM } from '../port/aws.ts'
import { queueUrl, type WorkKind } from '../port/queue.ts'

export interface WorkParts {
  /** What it did, for the log. `remainingMs` is what the function has left. */
  handle(item: WorkItem, remainingMs: () => number): Promise<JsonObject>
  /** After the whole batch. */
  settle?(): Promise<void>
}

export interface QueueFunctionOptions {
  /** How long an item stays hidden after each sign of life of its handler. */
  readonly leaseS: number
  readonly visibility?: SqsVisibility
}

function describe(error: unknown): JsonObject {
  if (isBackstopError(error)) return { code: error.code, reason: error.message }
  return { code: 'BUG', stack: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }
}

function asBatch(event: unknown): SqsBatchEvent {
  if (Array.isArray((event as { Records?: unknown } | null)?.Records)) return event as SqsBatchEvent
  throw new BackstopError('WORK_INVALID', 'the event is no batch of an SQS queue')
}

export function queueFunction(
  name: string,
  kind: WorkKind,
  open: () => Promise<WorkParts>,
  options: QueueFunctionOptions,
) {
  const parts = once(open)
  const visibility = once(async () => options.visibility ?? openSqsVisibility(awsSettings(), queueUrl(kind)))
  return functionChain(name).handler(async (given: unknown, context: Context) => {
    const event = asBatch(given)
    const { handle, settle } = await parts()
    const remainingMs = () => Math.floor(context.getRemainingTimeInMillis())
    const handleItem = async (item: WorkItem) => {
      if (item.correlationId !== undefined) correlateLog(item.correlationId)
      log('info', 'work', {
        function: name,
        item: item.id,
        attempt: item.attempt,
        ...(await handle(item, remainingMs)),
      })
    }
    const response = await handleSqsBatch(
      event,
      { [kind]: handleItem },
      {
        visibility: await visibility(),
        clock: SYSTEM.clock,
        leaseS: options.leaseS,
        remainingMs,
        onFailure: ({ stage, error, item, attempt = 0 }) =>
          log('error', 'work_failed', { stage, attempt, item: item?.id ?? 'unknown', ...describe(error) }),
      },
    )
    await settle?.()
    correlateLog(context.awsRequestId)
    noteFacts(context, { items: event.Records.length, failed: response.batchItemFailures.length })
    return response
  })
}
