/** Alerts to an SNS topic, and from there to mail, chat and pagers. */
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import type { Alert, AlertTarget, Notifier } from '#lib/ports/index.ts'
import type { AwsClientSettings } from '../client.ts'
import { awsClientConfig } from '../client.ts'
import { mapAwsError } from '../failure.ts'
import { buildSnsMessage } from './sns-message.ts'

export interface SnsNotifierOptions {
  readonly aws: AwsClientSettings
  readonly topicArn: string
}

export interface SnsNotifier extends Notifier, AlertTarget {
  close(): void
}

/**
 * The topic as a notifier, and as a target of the relay.
 *
 * Invariants: at least once: a publication whose answer was lost is repeated, under the alert's one id. A standard topic sees
 *             no duplicates: the relay's queue keeps alerts with one dedupe key one
 * Throws:     NOTIFICATION_FAILED
 */
export function createSnsNotifier({ aws, topicArn }: SnsNotifierOptions): SnsNotifier {
  const client = new SNSClient(awsClientConfig(aws))
  const name = topicArn.slice(topicArn.lastIndexOf(':') + 1)
  const publish = async (alert: Alert) => {
    try {
      await client.send(new PublishCommand({ TopicArn: topicArn, ...buildSnsMessage(alert) }))
    } catch (cause) {
      throw mapAwsError(cause, { code: 'NOTIFICATION_FAILED', resource: `the topic ${name}` })
    }
  }
  return { name: `topic ${name}`, notify: publish, deliver: publish, close: () => client.destroy() }
}
