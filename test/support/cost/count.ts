/** A synthesized stage → how many there are of everything that is billed by its being there. */
import type { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { FUNCTIONS } from '#lib/stacks/index.ts'

export interface Counts {
  readonly keys: number
  readonly secrets: number
  readonly alarms: number
  readonly dashboards: number
  /** Interface endpoints, one for each zone. */
  readonly endpointZones: number
  readonly queues: number
  readonly everyMinute: readonly { readonly memoryMib: number }[]
  readonly daily: readonly { readonly memoryMib: number }[]
  readonly memoryMib: Readonly<Record<string, number>>
}

// biome-ignore lint/suspicious/noExplicitAny: a template is JSON of any shape
type Properties = any

export function countStage(stacks: readonly Stack[]): Counts {
  const found = (type: string): readonly Properties[] =>
    stacks.flatMap((stack) =>
      Object.values(Template.fromStack(stack).findResources(type)).map((resource) => resource['Properties']),
    )
  const interfaces = found('AWS::EC2::VPCEndpoint').filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface')
  const rules = found('AWS::Events::Rule').map(({ ScheduleExpression }) => String(ScheduleExpression))
  const runs = (kind: 'every-minute' | 'daily') => FUNCTIONS.filter(({ trigger }) => trigger.kind === kind)
  const perMinute = rules.filter((rule) => rule === 'rate(1 minute)')
  if (perMinute.length !== runs('every-minute').length || rules.length - perMinute.length !== runs('daily').length) {
    throw new Error(
      'The schedules of the template are not those of FUNCTIONS. Teach test/support/cost/count.ts the new kind.',
    )
  }
  return {
    keys: found('AWS::KMS::Key').length,
    secrets: found('AWS::SecretsManager::Secret').length,
    alarms: found('AWS::CloudWatch::Alarm').length,
    dashboards: found('AWS::CloudWatch::Dashboard').length,
    endpointZones: interfaces.reduce((sum, { SubnetIds }) => sum + SubnetIds.length, 0),
    queues: found('AWS::Lambda::EventSourceMapping').length,
    everyMinute: runs('every-minute'),
    daily: runs('daily'),
    memoryMib: Object.fromEntries(FUNCTIONS.map(({ name, memoryMib }) => [name, memoryMib])),
  }
}
