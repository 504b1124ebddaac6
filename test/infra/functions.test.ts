import { describe, expect, test } from 'vitest'
import { FUNCTIONS } from '#lib/stacks/index.ts'
import { wordsOf } from './support/permissions.ts'
import { type Resource, resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const prod = stageOf(SHAPES['prod'] ?? expect.fail())
const dev = stageOf(SHAPES['dev'] ?? expect.fail())
const bare = stageOf(SHAPES['no-network'] ?? expect.fail())

const functionsOf = (stage: typeof prod) =>
  [stage.gate, stage.recovery]
    .flatMap((stack) => resourcesOf(stack, 'AWS::Lambda::Function'))
    .filter(({ Properties }) => String(Properties.FunctionName).startsWith('backstop-'))

function functionNamed(name: string, stage = prod): Resource['Properties'] {
  const end = `-${name.replace('.', '-')}`
  return (
    functionsOf(stage).find(({ Properties }) => Properties.FunctionName.endsWith(end))?.Properties ?? expect.fail(name)
  )
}

test('every row is a function with its own timeout and memory, and starts from its bundle', () => {
  expect(functionsOf(prod)).toHaveLength(FUNCTIONS.length)
  for (const row of FUNCTIONS) {
    expect(functionNamed(row.name)).toMatchObject({
      FunctionName: `backstop-prod-${row.name.replace('.', '-')}`,
      Timeout: row.timeoutS,
      MemorySize: row.memoryMib,
      Handler: 'index.handler',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      LoggingConfig: { LogFormat: 'JSON' },
    })
  }
})

test('every log group is kept for as long as the config says', () => {
  for (const [stage, days] of [
    [prod, 90],
    [dev, 30],
  ] as const) {
    const groups = [stage.gate, stage.recovery].flatMap((stack) => resourcesOf(stack, 'AWS::Logs::LogGroup'))
    expect(groups).toHaveLength(FUNCTIONS.length + 1)
    for (const { Properties } of groups) expect(Properties.RetentionInDays).toBe(days)
  }
})

describe('bounds that protect the database', () => {
  test('are reserved where the account has room for it', () => {
    const reserved = FUNCTIONS.map(({ name }) => [name, functionNamed(name).ReservedConcurrentExecutions]).filter(
      ([, count]) => count !== undefined,
    )
    expect(reserved).toEqual([
      ['gate.query', 100],
      ['gate.run', 10],
      ['recovery.capture', 8],
      ['recovery.part', 8],
    ])
    expect(functionNamed('gate.query', dev).ReservedConcurrentExecutions).toBeUndefined()
  })

  test('hold at the queues in every account', () => {
    const mappings = [dev.gate, dev.recovery].flatMap((stack) => resourcesOf(stack, 'AWS::Lambda::EventSourceMapping'))
    const bounds = mappings.map(({ Properties }) => [
      wordsOf(Properties.EventSourceArn).replace(/^<([a-z]+).*$/, '$1'),
      Properties.BatchSize,
      Properties.ScalingConfig?.MaximumConcurrency,
      Properties.FunctionResponseTypes,
    ])
    expect(bounds).toEqual([
      ['run', 1, 5, ['ReportBatchItemFailures']],
      ['alert', 10, undefined, ['ReportBatchItemFailures']],
      ['capture', 1, 4, ['ReportBatchItemFailures']],
      ['part', 1, 8, ['ReportBatchItemFailures']],
    ])
  })
})

describe('the network', () => {
  test('holds the functions that need the database, and no other', () => {
    const inside = FUNCTIONS.filter(({ name }) => functionNamed(name).VpcConfig !== undefined).map(({ name }) => name)
    expect(inside).toEqual([
      'gate.query',
      'gate.run',
      'gate.inspect',
      'gate.administer',
      'recovery.plan',
      'recovery.capture',
      'recovery.part',
      'recovery.drill',
      'recovery.watch',
    ])
    expect(functionNamed('gate.query').VpcConfig.SubnetIds).toHaveLength(3)
    expect(functionsOf(bare).every(({ Properties }) => Properties.VpcConfig === undefined)).toBe(true)
  })

  test('has gateway endpoints, and interface endpoints for what is needed alone', () => {
    const services = (stage: typeof prod) =>
      resourcesOf(stage.network ?? expect.fail(), 'AWS::EC2::VPCEndpoint')
        .map(
          ({ Properties }) => `${Properties.VpcEndpointType} ${wordsOf(Properties.ServiceName).replace(/^.*\./, '')}`,
        )
        .sort()
    expect(services(prod)).toEqual(['Gateway dynamodb', 'Gateway s3', 'Interface secretsmanager', 'Interface sqs'])
    expect(services(dev)).toEqual(services(prod))
  })

  test('lets nothing in, and out to the database and to endpoints', () => {
    const groups = resourcesOf(prod.network ?? expect.fail(), 'AWS::EC2::SecurityGroup')
    const own =
      groups.find(({ Properties }) => Properties.GroupDescription.includes('functions that use')) ?? expect.fail()
    expect(own.Properties.SecurityGroupIngress).toBeUndefined()
    const out = own.Properties.SecurityGroupEgress.map((rule: { FromPort: number; CidrIp?: string }) => [
      rule.FromPort,
      rule.CidrIp,
    ])
    expect(out).toEqual([[443, '0.0.0.0/0']])
    const toDatabase = resourcesOf(prod.network ?? expect.fail(), 'AWS::EC2::SecurityGroupEgress')
    expect(toDatabase.map(({ Properties }) => [Properties.FromPort, Properties.DestinationSecurityGroupId])).toEqual([
      [5_432, 'sg-0123456789abcdef0'],
    ])
  })
})

describe('the environment of a function', () => {
  const namesOf = (name: string) => Object.keys(functionNamed(name).Environment.Variables).sort()

  test('names what it may use, and nothing else', () => {
    const always = ['BACKSTOP_CLUSTER_ID', 'BACKSTOP_ENVIRONMENT']
    expect(namesOf('gate.authorize')).toEqual([...always, 'BACKSTOP_TOKENS_SECRET'])
    expect(namesOf('gate.relay')).toEqual(
      [
        ...always,
        'BACKSTOP_ALERT_QUEUE_URL',
        'BACKSTOP_ALERT_TOPIC_ARN',
        'BACKSTOP_ALERT_WEBHOOK_SECRET',
        'BACKSTOP_TABLE',
      ].sort(),
    )
    expect(namesOf('gate.query')).not.toContain('BACKSTOP_TOKENS_SECRET')
    expect(namesOf('gate.approve').filter((name) => name.startsWith('BACKSTOP_DB_'))).toEqual([])
  })

  test('says how to reach the database, with the ARN of its secret and not the secret', () => {
    expect(functionNamed('gate.query').Environment.Variables).toMatchObject({
      BACKSTOP_DB_AUTH: 'secret',
      BACKSTOP_DB_HOST: 'prod-orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com',
      BACKSTOP_DB_PORT: '5432',
      BACKSTOP_DB_TLS: 'verify-full',
      BACKSTOP_DB_USER: 'backstop_gateway',
      BACKSTOP_AGENT_ROLE: 'backstop_agent',
      BACKSTOP_DB_SECRET: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders/backstop_gateway-AbCdEf',
    })
    const iam = functionNamed('gate.query', dev).Environment.Variables
    expect(iam.BACKSTOP_DB_AUTH).toBe('iam')
    expect(iam.BACKSTOP_DB_SECRET).toBeUndefined()
  })
})

describe('schedules', () => {
  const rules = [prod.gate, prod.recovery].flatMap((stack) => resourcesOf(stack, 'AWS::Events::Rule'))

  test('start what has to run by itself', () => {
    const schedules = rules.map(({ Properties }) => [
      wordsOf(Properties.Targets[0].Arn).replace(/^<([a-z]+)Function.*$/, '$1'),
      Properties.ScheduleExpression,
    ])
    expect(schedules).toEqual([
      ['gateexpire', 'rate(1 minute)'],
      ['gateseal', 'rate(1 minute)'],
      ['recoveryplan', 'rate(1 minute)'],
      ['recoveryverify', 'cron(30 2 * * ? *)'],
      ['recoveryretain', 'cron(30 4 * * ? *)'],
      ['recoverydrill', 'cron(30 3 * * ? *)'],
      ['recoverywatch', 'rate(1 minute)'],
    ])
  })

  test('try again for a bounded time, and put aside what could not be delivered', () => {
    for (const { Properties } of rules) {
      const [target] = Properties.Targets
      const isDaily = Properties.ScheduleExpression.startsWith('cron')
      expect(wordsOf(target.DeadLetterConfig.Arn)).toMatch(/^<scheduledead/)
      expect(target.RetryPolicy).toEqual(
        isDaily
          ? { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3_600 }
          : { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
      )
    }
    const asynchronous = [prod.gate, prod.recovery].flatMap((stack) =>
      resourcesOf(stack, 'AWS::Lambda::EventInvokeConfig'),
    )
    expect(asynchronous).toHaveLength(rules.length)
  })
})
