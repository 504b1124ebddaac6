/** A function that takes items from a queue, a bounded number at once. */
import { EventSourceMapping, type Function as Lambda } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import type { Environment } from '../config/index.ts'
import type { FunctionRow, Places } from '../functions/index.ts'

/** Does nothing for a function that no queue starts. Only the items that failed are delivered again. */
export function connectQueue(
  scope: Construct,
  run: Lambda,
  row: FunctionRow,
  { environment, places }: { readonly environment: Environment; readonly places: Places },
): void {
  if (row.trigger.kind !== 'queue') return
  new EventSourceMapping(scope, 'Queue', {
    target: run,
    eventSourceArn: places.queues[row.trigger.queue].arn,
    batchSize: row.trigger.batchSize,
    reportBatchItemFailures: true,
    ...(row.bounded !== undefined && { maxConcurrency: environment.concurrency[row.bounded] }),
  })
}
