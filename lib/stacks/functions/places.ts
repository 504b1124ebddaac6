/** Where everything is that a function may be allowed to touch: names and ARNs, no constructs. */
import type { QueueName } from './model.ts'

export interface Place {
  readonly name: string
  readonly arn: string
}

export interface QueuePlace {
  readonly arn: string
  readonly url: string
}

export interface KeyArns {
  /** Encrypts the table, the snapshots, the audit segments and the config. */
  readonly data: string
  /** Encrypts the topic and the queues. */
  readonly messages: string
  /** Encrypts tokens and webhooks: a role without it cannot read them whatever else it may do. */
  readonly secrets: string
}

export interface Places {
  readonly region: string
  readonly account: string
  readonly partition: string
  readonly keys: KeyArns
  readonly table: Place
  readonly snapshots: Place
  readonly audit: Place
  readonly config: Place
  readonly tokensSecretArn: string
  readonly webhookSecretArn?: string
  readonly topicArn: string
  /** Orders for captures that outlast a function; absent where the environment has no task for them. */
  readonly taskQueue?: QueuePlace
  readonly queues: Readonly<Record<QueueName, QueuePlace>>
}
