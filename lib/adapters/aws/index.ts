export type { AwsClientSettings, AwsCredentials } from './client.ts'
export { awsClientConfig } from './client.ts'
export type { AwsFailure, AwsFailureKind, AwsSubject } from './failure.ts'
export { classifyAwsError } from './failure.ts'
export type { KmsKeyRingOptions } from './key-ring.ts'
export { openKmsKeyRing } from './key-ring.ts'
export type {
  QueueNotifierOptions,
  RelayPorts,
  RelayReport,
  SnsNotifier,
  SnsNotifierOptions,
} from './notifier/index.ts'
export {
  createAlertHandler,
  createQueueNotifier,
  createSnsNotifier,
  decodeAlertWork,
  relayAlert,
} from './notifier/index.ts'
export type { RdsTokenOptions, RdsTokens } from './rds-token.ts'
export { openRdsTokens } from './rds-token.ts'
export type { DynamoRecordStore, DynamoRecordStoreOptions } from './record-store/index.ts'
export { DYNAMO_SCHEMA, openDynamoRecordStore } from './record-store/index.ts'
export type { ScheduledOutcome, ScheduledRun } from './schedule/index.ts'
export { runScheduled } from './schedule/index.ts'
export type { SecretsManagerOptions, SecretsManagerSecrets } from './secrets.ts'
export { openSecretsManagerSecrets } from './secrets.ts'
export type {
  OpenedSqsVisibility,
  SqsBatchEvent,
  SqsBatchPorts,
  SqsBatchRecord,
  SqsBatchResponse,
  SqsVisibility,
  SqsWorkConsumer,
  SqsWorkConsumerOptions,
  SqsWorkFailure,
  SqsWorkQueue,
  SqsWorkQueueOptions,
  WorkHandlers,
} from './work-queue/index.ts'
export { handleSqsBatch, openSqsVisibility, openSqsWorkConsumer, openSqsWorkQueue } from './work-queue/index.ts'
