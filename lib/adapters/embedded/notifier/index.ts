export type { WebhookNotifierOptions } from './notifier.ts'
export { createWebhookNotifier } from './notifier.ts'
export { signWebhookBody } from './payload.ts'
export type { WebhookTarget } from './webhook.ts'
