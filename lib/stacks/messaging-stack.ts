/** The alert topic with its subscribers, and the queues with what could not be delivered. */
import { CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription, UrlSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { Environment } from './config/index.ts'
import { FUNCTIONS, type QueueName } from './functions/index.ts'
import type { SharedStack } from './shared-stack.ts'

/** AWS asks for six times the consumer's timeout: throttled deliveries then do not use up a message's attempts. */
const VISIBILITY_FACTOR = 6
const MAX_RECEIVES = { run: 3, capture: 3, part: 3, alert: 5 } as const
const KEEP_DEAD_DAYS = 14

interface WorkPair {
  readonly queue: Queue
  readonly queueName: string
  readonly dead: Queue
  readonly deadName: string
}

export interface MessagingStackProps extends StackProps {
  readonly shared: SharedStack
}

export class MessagingStack extends Stack {
  readonly topic: Topic
  readonly work: Readonly<Record<QueueName, WorkPair>>
  readonly #props: MessagingStackProps

  constructor(scope: Construct, environment: Environment, props: MessagingStackProps) {
    super(scope, 'messaging', props)
    this.#props = props
    this.topic = this.#createTopic(environment)
    this.work = {
      run: this.#createPair('run', environment),
      capture: this.#createPair('capture', environment),
      part: this.#createPair('part', environment),
      alert: this.#createPair('alert', environment),
    }
    new CfnOutput(this, 'AlertTopicArn', { value: this.topic.topicArn })
    for (const [name, pair] of Object.entries(this.work)) {
      const id = `${name[0]?.toUpperCase()}${name.slice(1)}`
      new CfnOutput(this, `${id}QueueUrl`, { value: pair.queue.queueUrl })
      new CfnOutput(this, `${id}DeadQueueUrl`, { value: pair.dead.queueUrl })
    }
  }

  #createTopic(environment: Environment): Topic {
    const { emails, https } = environment.alerts
    const topic = new Topic(this, 'Alerts', {
      displayName: `Backstop ${environment.name}`,
      masterKey: this.#props.shared.messageKey,
      enforceSSL: true,
    })
    for (const address of emails) topic.addSubscription(new EmailSubscription(address))
    for (const url of https) topic.addSubscription(new UrlSubscription(url))
    return topic
  }

  /** FIFO: what is sent twice within five minutes is one item, and items of one group do not overtake each other. */
  #createPair(name: QueueName, environment: Environment): WorkPair {
    const common = (fullName: string) => ({
      queueName: `backstop-${environment.name}-${fullName}.fifo`,
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: this.#props.shared.messageKey,
      enforceSSL: true,
      fifo: true,
    })
    const dead = new Queue(this, `${name}-dead`, {
      ...common(`${name}-dead`),
      retentionPeriod: Duration.days(KEEP_DEAD_DAYS),
    })
    const queue = new Queue(this, name, {
      ...common(name),
      visibilityTimeout: Duration.seconds(VISIBILITY_FACTOR * timeoutOfConsumer(name)),
      deadLetterQueue: { queue: dead, maxReceiveCount: MAX_RECEIVES[name] },
    })
    return { queue, dead, queueName: common(name).queueName, deadName: common(`${name}-dead`).queueName }
  }
}

function timeoutOfConsumer(name: QueueName): number {
  const row = FUNCTIONS.find(({ trigger }) => trigger.kind === 'queue' && trigger.queue === name)
  if (row === undefined) throw new Error(`No function receives from the queue "${name}". Give it a row in FUNCTIONS.`)
  return row.timeoutS
}
