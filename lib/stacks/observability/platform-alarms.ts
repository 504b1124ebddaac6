/** Alarms on what the product stands on: API, functions, table, queues. */
import type { AlarmRow, Watched } from './model.ts'

const MINUTE_S = 60
const STUCK_AFTER_S = 600

const rings = (threshold: number) => ({ when: 'above', threshold }) as const

function functionAlarms({ functions }: Watched): readonly AlarmRow[] {
  return functions.flatMap(({ name, physicalName }) => {
    const watch = (metric: string, periods: number, text: string): AlarmRow => ({
      name: `${name.replace('.', '-')}-${metric.toLowerCase()}`,
      text,
      metric: {
        namespace: 'AWS/Lambda',
        name: metric,
        dimensions: { FunctionName: physicalName },
        statistic: 'Sum',
      },
      periodS: MINUTE_S,
      periods,
      rings: rings(0),
      isSilenceBad: false,
    })
    return [
      watch('Errors', 1, `${name} failed or timed out. Read the log group /aws/lambda/${physicalName}.`),
      watch('Throttles', 2, `${name} is refused by Lambda: raise its concurrency or the limit of the account.`),
    ]
  })
}

function tableAlarms({ tableName }: Watched): readonly AlarmRow[] {
  return ['ReadThrottleEvents', 'WriteThrottleEvents'].map((metric) => ({
    name: `table-${metric.toLowerCase()}`,
    text: 'DynamoDB refuses requests to the records: one partition is too hot, or the account is at its limit. See docs/scale.md.',
    metric: { namespace: 'AWS/DynamoDB', name: metric, dimensions: { TableName: tableName }, statistic: 'Sum' },
    periodS: MINUTE_S,
    periods: 2,
    rings: rings(0),
    isSilenceBad: false,
  }))
}

function queueAlarms({ deadQueues, workQueues }: Watched): readonly AlarmRow[] {
  const watch = (name: string, metric: string, queueName: string, threshold: number, text: string): AlarmRow => ({
    name,
    text,
    metric: { namespace: 'AWS/SQS', name: metric, dimensions: { QueueName: queueName }, statistic: 'Maximum' },
    periodS: MINUTE_S,
    periods: 1,
    rings: rings(threshold),
    isSilenceBad: false,
  })
  return [
    ...deadQueues.map(({ name, queueName }) =>
      watch(
        `${name}-dead-letters`,
        'ApproximateNumberOfMessagesVisible',
        queueName,
        0,
        `Work was given up: read the messages of ${queueName}, mend the cause, and start a redrive.`,
      ),
    ),
    ...workQueues.map(({ name, queueName }) =>
      watch(
        `${name}-queue-stuck`,
        'ApproximateAgeOfOldestMessage',
        queueName,
        STUCK_AFTER_S,
        `Work waits for more than ten minutes in ${queueName}. See the errors and throttles of its function.`,
      ),
    ),
  ]
}

export function platformAlarms(watched: Watched): readonly AlarmRow[] {
  const api: AlarmRow = {
    name: 'api-5xx',
    text: 'The API answers 5xx. Read the access log of the API by status, then the log of the function it names.',
    metric: {
      namespace: 'AWS/ApiGateway',
      name: watched.api.errors,
      dimensions: watched.api.dimensions,
      statistic: 'Sum',
    },
    periodS: MINUTE_S,
    periods: 1,
    rings: rings(0),
    isSilenceBad: false,
  }
  return [api, ...functionAlarms(watched), ...tableAlarms(watched), ...queueAlarms(watched)]
}
