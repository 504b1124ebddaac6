import { afterEach, describe, expect, test, vi } from 'vitest'
import { openEmfMetrics } from '#functions/shared/metrics.ts'
import { FUNCTIONS } from '#lib/stacks/index.ts'
import { type Resource, resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const prod = stageOf(SHAPES['prod'] ?? expect.fail())
const stack = prod.observability
const alarms = resourcesOf(stack, 'AWS::CloudWatch::Alarm').map(({ Properties }) => Properties)

function alarmNamed(name: string): Resource['Properties'] {
  return alarms.find(({ AlarmName }) => AlarmName === `backstop-prod-${name}`) ?? expect.fail(`no alarm ${name}`)
}

const dimensionsOf = (alarm: Resource['Properties']): Record<string, string> =>
  Object.fromEntries(alarm.Dimensions.map(({ Name, Value }: { Name: string; Value: string }) => [Name, Value]))

test('every alarm goes to the alert topic when it rings and when it is over, and says what to do', () => {
  expect(alarms.length).toBeGreaterThanOrEqual(45)
  for (const { AlarmActions, OKActions, AlarmDescription, AlarmName } of alarms) {
    for (const actions of [AlarmActions, OKActions]) {
      expect(actions, AlarmName).toHaveLength(1)
      expect(JSON.stringify(actions), AlarmName).toContain('Alerts')
    }
    expect(AlarmDescription, AlarmName).toMatch(/^.{40,}\.$/)
  }
})

test('no alarm uses arithmetic: emulators refuse it', () => {
  for (const { Metrics } of alarms) expect(Metrics).toBeUndefined()
  expect(resourcesOf(stack, 'AWS::Logs::MetricFilter')).toEqual([])
})

describe('what the product promises', () => {
  test.each([
    ['capture-not-healthy', 1, 'LessThanThreshold', 'Sum', 'breaching', { status: 'healthy' }],
    ['snapshot-too-old', 900, 'GreaterThanThreshold', 'Maximum', 'notBreaching', {}],
    ['critical-statement', 0, 'GreaterThanThreshold', 'Sum', 'notBreaching', { risk: 'CRITICAL' }],
    ['drill-failed', 0, 'GreaterThanThreshold', 'Sum', 'notBreaching', { event_type: 'drill_failed' }],
    ['audit-broken', 0, 'GreaterThanThreshold', 'Sum', 'notBreaching', { event_type: 'audit_broken' }],
    ['bypass', 0, 'GreaterThanThreshold', 'Sum', 'notBreaching', {}],
  ])('%s', (name, Threshold, ComparisonOperator, Statistic, TreatMissingData, labels) => {
    const alarm = alarmNamed(name)
    expect(alarm).toMatchObject({ Threshold, ComparisonOperator, Statistic, TreatMissingData, Namespace: 'Backstop' })
    expect(dimensionsOf(alarm)).toEqual({ environment: 'prod', ...labels })
  })

  test.each([
    ['drill-missing', 'Invocations', 86_400, 'backstop-prod-recovery-drill'],
    ['audit-seal-missing', 'Invocations', 60, 'backstop-prod-gate-seal'],
    ['audit-seal-overdue', 'Errors', 60, 'backstop-prod-gate-seal'],
  ])('%s', (name, MetricName, Period, FunctionName) => {
    expect(alarmNamed(name)).toMatchObject({ Namespace: 'AWS/Lambda', MetricName, Period })
    expect(dimensionsOf(alarmNamed(name))).toEqual({ FunctionName })
    expect(alarmNamed(name).TreatMissingData).toBe(MetricName === 'Invocations' ? 'breaching' : 'notBreaching')
  })
})

describe('what the product stands on', () => {
  test.each(FUNCTIONS.map(({ name }) => name.replace('.', '-')))('%s: errors and throttles', (name) => {
    for (const metric of ['Errors', 'Throttles']) {
      const alarm = alarmNamed(`${name}-${metric.toLowerCase()}`)
      expect(alarm).toMatchObject({ MetricName: metric, Namespace: 'AWS/Lambda', Threshold: 0 })
      expect(dimensionsOf(alarm)).toEqual({ FunctionName: `backstop-prod-${name}` })
    }
  })

  test('5xx of the API, throttles of the table', () => {
    expect(alarmNamed('api-5xx')).toMatchObject({ MetricName: '5xx', Namespace: 'AWS/ApiGateway', Threshold: 0 })
    for (const metric of ['ReadThrottleEvents', 'WriteThrottleEvents']) {
      expect(alarmNamed(`table-${metric.toLowerCase()}`)).toMatchObject({ MetricName: metric, Threshold: 0 })
    }
    const rest = resourcesOf(stageOf(SHAPES['rest-firewall'] ?? expect.fail()).observability, 'AWS::CloudWatch::Alarm')
    const api = rest.find(({ Properties }) => Properties.AlarmName.endsWith('api-5xx'))?.Properties
    expect(api.MetricName).toBe('5XXError')
    expect(dimensionsOf(api)).toEqual({ ApiName: 'backstop-rest', Stage: 'live' })
  })

  test('every queue for what was given up', () => {
    const made = [prod.messaging, prod.gate, prod.recovery, prod.task ?? expect.fail('prod has no task')]
      .flatMap((one) => resourcesOf(one, 'AWS::SQS::Queue'))
      .map(({ Properties }) => String(Properties.QueueName))
      .filter((name) => name.includes('-dead'))
    const watched = alarms
      .filter(({ AlarmName }) => AlarmName.endsWith('-dead-letters'))
      .map((alarm) => dimensionsOf(alarm)['QueueName'])
    expect(made).toHaveLength(7)
    expect(watched.sort()).toEqual(made.sort())
  })
})

describe('alarms and functions agree', () => {
  afterEach(() => vi.restoreAllMocks())

  /** Name and dimensions of every figure that the functions write, as CloudWatch reads them from the log. */
  function written(): ReadonlySet<string> {
    const lines: string[] = []
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(...String(text).split('\n'))
      return true
    })
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const metrics = openEmfMetrics('prod')
    metrics.setCaptureHealth('healthy')
    metrics.setLatestSnapshotAge('public.orders', 12)
    metrics.noteQuery({ riskLevel: 'CRITICAL', status: 'blocked', durationMs: 5 })
    metrics.noteAlert('drill_failed', 'sent')
    metrics.noteAlert('audit_broken', 'sent')
    metrics.noteBypassConnection('backstop_agent', 'psql')
    metrics.flush()
    vi.restoreAllMocks()
    return new Set(lines.filter((line) => line.startsWith('{"_aws"')).flatMap((line) => figuresIn(JSON.parse(line))))
  }

  function figuresIn(entry: Record<string, string> & { _aws: { CloudWatchMetrics: Directive[] } }): string[] {
    return entry._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Dimensions.flatMap((names) =>
        Metrics.map(({ Name }) =>
          keyOf(Namespace, Name, Object.fromEntries(names.map((name) => [name, entry[name] ?? '']))),
        ),
      ),
    )
  }

  interface Directive {
    readonly Namespace: string
    readonly Dimensions: string[][]
    readonly Metrics: { Name: string }[]
  }

  const keyOf = (namespace: string, name: string, dimensions: Record<string, string>) =>
    `${namespace} ${name} ${JSON.stringify(Object.entries(dimensions).sort())}`

  test('on the name and the dimensions of every figure', () => {
    const figures = written()
    const own = alarms.filter(({ Namespace }) => Namespace === 'Backstop')
    expect(own.length).toBeGreaterThanOrEqual(5)
    for (const alarm of own) {
      expect([...figures]).toContain(keyOf('Backstop', alarm.MetricName, dimensionsOf(alarm)))
    }
  })
})

test('one dashboard shows the alarms first', () => {
  const [dashboard, ...more] = resourcesOf(stack, 'AWS::CloudWatch::Dashboard')
  expect(more).toEqual([])
  const body = JSON.stringify(dashboard?.Properties.DashboardBody)
  expect(body).toContain('backstop_sync_latest_snapshot_age_seconds')
  expect(body.indexOf('Alarms')).toBeLessThan(body.indexOf('backstop_sync'))
})
