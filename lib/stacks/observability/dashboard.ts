/** One page for the person on call: promises first, then traffic, then what it stands on. */
import { Duration } from 'aws-cdk-lib'
import { type Alarm, AlarmStatusWidget, Dashboard, GraphWidget, type IWidget, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import { figuresOf } from './figures.ts'
import type { Watched } from './model.ts'

const MINUTE = Duration.minutes(1)
const HALF = 12

type Source = {
  readonly namespace: string
  readonly name: string
  readonly dimensions: Readonly<Record<string, string>>
}

function metric(source: Source, statistic: string, label: string): Metric {
  return new Metric({
    namespace: source.namespace,
    metricName: source.name,
    dimensionsMap: source.dimensions,
    statistic,
    label,
    period: MINUTE,
  })
}

function graph(title: string, left: Metric[]): GraphWidget {
  return new GraphWidget({ title, left, width: HALF, height: 6 })
}

function productGraphs(environment: string): IWidget[][] {
  const figures = figuresOf(environment)
  return [
    [
      graph('Age of the newest recovery point, seconds', [
        metric(figures.snapshotAgeSeconds, 'Maximum', 'oldest table'),
      ]),
      graph('Captures', [
        metric(figures.healthyCaptures, 'Sum', 'healthy rounds'),
        metric(figures.failedCaptures, 'Sum', 'failed tables'),
      ]),
    ],
    [
      graph('Statements', [
        metric(figures.statements, 'Sum', 'all'),
        metric(figures.criticalStatements, 'Sum', 'CRITICAL'),
        metric(figures.blocks, 'Sum', 'refused'),
      ]),
      graph('Seconds for a statement', [
        metric(figures.durationSeconds, 'p50', 'half'),
        metric(figures.durationSeconds, 'p99', '99 of 100'),
      ]),
    ],
    [graph('Waiting for a person', [metric(figures.pendingApprovals, 'Maximum', 'approvals')])],
  ]
}

function platformGraphs(watched: Watched): IWidget[][] {
  const { api } = watched
  const lambda = (name: string) =>
    watched.functions.map((one) =>
      metric({ namespace: 'AWS/Lambda', name, dimensions: { FunctionName: one.physicalName } }, 'Sum', one.name),
    )
  const gateway = (name: string, statistic: string, label: string) =>
    metric({ namespace: 'AWS/ApiGateway', name, dimensions: api.dimensions }, statistic, label)
  const dead = watched.deadQueues.map(({ name, queueName: QueueName }) =>
    metric(
      { namespace: 'AWS/SQS', name: 'ApproximateNumberOfMessagesVisible', dimensions: { QueueName } },
      'Maximum',
      name,
    ),
  )
  return [
    [
      graph('API', [gateway(api.requests, 'Sum', 'requests'), gateway(api.errors, 'Sum', '5xx')]),
      graph('Milliseconds at the API', [gateway(api.latency, 'p50', 'half'), gateway(api.latency, 'p99', '99 of 100')]),
    ],
    [graph('Errors of functions', lambda('Errors')), graph('Throttles of functions', lambda('Throttles'))],
    [graph('Work that was given up', dead)],
  ]
}

export function createDashboard(scope: Construct, watched: Watched, alarms: readonly Alarm[]): void {
  new Dashboard(scope, 'Dashboard', {
    dashboardName: `backstop-${watched.environment}`,
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 2 * HALF, height: 4 })],
      ...productGraphs(watched.environment),
      ...platformGraphs(watched),
    ],
  })
}
