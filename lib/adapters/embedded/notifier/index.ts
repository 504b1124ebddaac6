export { createWebhookNotifier } from './notifier.ts'
export type { WebhookTarget } from './webhook.ts'
