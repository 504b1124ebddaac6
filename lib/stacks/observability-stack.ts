/** Who watches: every alarm into the alert topic, and one dashboard. */
import { Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { Alarm, ComparisonOperator, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import { type AlarmRow, createDashboard, platformAlarms, productAlarms, type Watched } from './observability/index.ts'

export interface ObservabilityStackProps extends StackProps {
  readonly watched: Watched
  readonly topic: ITopic
}

export class ObservabilityStack extends Stack {
  constructor(scope: Construct, props: ObservabilityStackProps) {
    super(scope, 'observability', props)
    const { watched, topic } = props
    const rows = [...productAlarms(watched), ...platformAlarms(watched)]
    const alarms = rows.map((row) => this.#createAlarm(row, watched.environment, topic))
    createDashboard(this, watched, alarms)
  }

  #createAlarm(row: AlarmRow, environment: string, topic: ITopic): Alarm {
    const { name, metric, rings } = row
    const alarm = new Alarm(this, name, {
      alarmName: `backstop-${environment}-${name}`,
      alarmDescription: row.text,
      metric: new Metric({
        namespace: metric.namespace,
        metricName: metric.name,
        dimensionsMap: metric.dimensions,
        statistic: metric.statistic,
        period: Duration.seconds(row.periodS),
      }),
      evaluationPeriods: row.periods,
      threshold: rings.threshold,
      comparisonOperator:
        rings.when === 'above' ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: row.isSilenceBad ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    })
    alarm.addAlarmAction(new SnsAction(topic))
    alarm.addOkAction(new SnsAction(topic))
    return alarm
  }
}
