/** Where the relay delivers alerts: the topic, and the webhooks of a secret. */
import { createSnsNotifier, openSecretsManagerSecrets } from '#lib/adapters/aws/index.ts'
import { createWebhookTargets, decodeWebhookSettings } from '#lib/adapters/webhook/index.ts'
import type { AlertTarget } from '#lib/ports/index.ts'
import { findVariable } from '../environment.ts'
import { awsSettings, SYSTEM } from './aws.ts'

async function openWebhooks(): Promise<readonly AlertTarget[]> {
  const name = findVariable('BACKSTOP_ALERT_WEBHOOK_SECRET')
  if (name === undefined) return []
  const text = await openSecretsManagerSecrets({ aws: awsSettings(), clock: SYSTEM.clock }).get(name)
  const { webhooks, secrets } = decodeWebhookSettings(text)
  return createWebhookTargets({ secrets, clock: SYSTEM.clock }, webhooks)
}

/** Throws CONFIG_INVALID, SECRET_MISSING. */
export async function openAlertTargets(): Promise<readonly AlertTarget[]> {
  const topicArn = findVariable('BACKSTOP_ALERT_TOPIC_ARN')
  const topics = topicArn === undefined ? [] : [createSnsNotifier({ aws: awsSettings(), topicArn })]
  return [...topics, ...(await openWebhooks())]
}
