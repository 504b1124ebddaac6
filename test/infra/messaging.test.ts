import { describe, expect, test } from 'vitest'
import { FUNCTIONS } from '#lib/stacks/index.ts'
import { wordsOf } from './support/permissions.ts'
import { resourcesOf, SHAPES, stageOf } from './support/stages.ts'

const prod = stageOf(SHAPES['prod'] ?? expect.fail())
const queues = resourcesOf(prod.messaging, 'AWS::SQS::Queue').map(({ Properties }) => Properties)
const queueNamed = (name: string) => queues.find(({ QueueName }) => QueueName === name) ?? expect.fail(name)

describe('queues', () => {
  test.each([
    ['run', 3, 5_400],
    ['capture', 3, 5_400],
    ['part', 3, 5_400],
    ['alert', 5, 360],
  ] as const)(
    '%s puts aside what failed too often, and hides work for six times its function',
    (name, receives, hidden) => {
      const queue = queueNamed(`backstop-prod-${name}.fifo`)
      expect(queue.FifoQueue).toBe(true)
      expect(queue.RedrivePolicy.maxReceiveCount).toBe(receives)
      expect(wordsOf(queue.RedrivePolicy.deadLetterTargetArn)).toMatch(new RegExp(`^<${name}dead`))
      expect(queueNamed(`backstop-prod-${name}-dead.fifo`).MessageRetentionPeriod).toBe(14 * 86_400)
      expect(queue.VisibilityTimeout).toBe(hidden)
      const row = FUNCTIONS.find(({ trigger }) => trigger.kind === 'queue' && trigger.queue === name)
      expect(queue.VisibilityTimeout).toBe(6 * (row?.timeoutS ?? 0))
    },
  )

  test('are encrypted with our key and take TLS alone, also those for what was given up', () => {
    const all = [prod.messaging, prod.gate, prod.recovery].flatMap((stack) => resourcesOf(stack, 'AWS::SQS::Queue'))
    const policies = [prod.messaging, prod.gate, prod.recovery].flatMap((stack) =>
      resourcesOf(stack, 'AWS::SQS::QueuePolicy'),
    )
    expect(all).toHaveLength(10)
    expect(policies).toHaveLength(10)
    for (const { Properties } of all) expect(wordsOf(Properties.KmsMasterKeyId)).toContain('MessageKey')
    for (const { Properties } of policies) {
      expect(JSON.stringify(Properties.PolicyDocument)).toContain('{"aws:SecureTransport":"false"}')
    }
  })
})

describe('the alert topic', () => {
  test('is encrypted, and takes TLS alone', () => {
    const [topic, ...more] = resourcesOf(prod.messaging, 'AWS::SNS::Topic')
    expect(more).toEqual([])
    expect(wordsOf(topic?.Properties.KmsMasterKeyId)).toContain('MessageKey')
    expect(JSON.stringify(resourcesOf(prod.messaging, 'AWS::SNS::TopicPolicy'))).toContain(
      '{"aws:SecureTransport":"false"}',
    )
  })

  test('has the subscribers of the config', () => {
    const subscribers = resourcesOf(prod.messaging, 'AWS::SNS::Subscription').map(({ Properties }) => [
      Properties.Protocol,
      Properties.Endpoint,
    ])
    expect(subscribers).toEqual([
      ['email', 'database-oncall@example.com'],
      ['https', 'https://events.pagerduty.com/integration/0123456789abcdef/enqueue'],
    ])
  })
})
