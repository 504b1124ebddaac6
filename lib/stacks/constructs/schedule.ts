/** A function that runs by the clock: its rule, bounded retries, and a queue for what could not be delivered. */
import { Duration } from 'aws-cdk-lib'
import { Rule, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Function as Lambda } from 'aws-cdk-lib/aws-lambda'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { Environment } from '../config/index.ts'
import type { FunctionRow } from '../functions/index.ts'

const KEEP_DEAD_DAYS = 14

/** A run that is a minute late is the next run; a daily one is worth another try for an hour. */
const PATIENCE = {
  'every-minute': { retryAttempts: 0, maxEventAge: Duration.minutes(1) },
  daily: { retryAttempts: 2, maxEventAge: Duration.hours(1) },
} as const

export function createScheduleDeadQueue(scope: Construct, queueName: string, key: IKey): Queue {
  return new Queue(scope, 'schedule-dead', {
    queueName,
    encryption: QueueEncryption.KMS,
    encryptionMasterKey: key,
    enforceSSL: true,
    retentionPeriod: Duration.days(KEEP_DEAD_DAYS),
  })
}

export interface ScheduledFunction {
  readonly row: FunctionRow
  readonly run: Lambda
  readonly deadQueue: Queue
}

/** Does nothing for a function that no clock starts. */
export function scheduleFunction(scope: Construct, environment: Environment, scheduled: ScheduledFunction): void {
  const { row, run, deadQueue } = scheduled
  const { trigger } = row
  if (trigger.kind !== 'every-minute' && trigger.kind !== 'daily') return
  const patience = PATIENCE[trigger.kind]
  const [hour, minute] = trigger.kind === 'daily' ? environment[trigger.at].split(':') : []
  new Rule(scope, 'Schedule', {
    description: `Backstop ${environment.name}: ${row.name} ${row.does}`,
    schedule:
      hour === undefined || minute === undefined
        ? Schedule.rate(Duration.minutes(1))
        : Schedule.cron({ hour: String(Number(hour)), minute: String(Number(minute)) }),
    targets: [new LambdaFunction(run, { deadLetterQueue: deadQueue, ...patience })],
  })
  // The same bounds where Lambda itself would try again: a function that failed is not simply run twice more.
  run.configureAsyncInvoke(patience)
}
