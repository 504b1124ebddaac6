/** Where the orders for captures that outlast a function go: by name, so that no stack holds back another. */
import type { Environment } from '../config/index.ts'
import type { QueuePlace } from '../functions/index.ts'

/** Its bundle, beside those of the functions. */
export const TASK_BUNDLE = 'recovery-capture-task'

export function taskQueueName(environment: Environment): string {
  return `backstop-${environment.name}-capture-task.fifo`
}

interface Account {
  readonly region: string
  readonly account: string
  readonly partition: string
  readonly urlSuffix: string
}

/** Undefined: the environment has no such task. */
export function taskQueuePlace(environment: Environment, account: Account): QueuePlace | undefined {
  if (environment.captureTask === undefined) return undefined
  const name = taskQueueName(environment)
  return {
    arn: `arn:${account.partition}:sqs:${account.region}:${account.account}:${name}`,
    url: `https://sqs.${account.region}.${account.urlSuffix}/${account.account}/${name}`,
  }
}
