export type {
  CloseReport,
  HttpServerOptions,
  HttpServerTimeouts,
  RunningHttpServer,
  TlsFiles,
} from './http-server/index.ts'
export { openHttpServer } from './http-server/index.ts'
export type { WebhookNotifierOptions, WebhookTarget } from './notifier/index.ts'
export { createWebhookNotifier, signWebhookBody } from './notifier/index.ts'
export type { FolderObjectStoreOptions } from './object-store/index.ts'
export { openFolderObjectStore } from './object-store/index.ts'
export type { Cluster, ClusterOptions } from './postgres-cluster/index.ts'
export { startCluster } from './postgres-cluster/index.ts'
export type { SqliteRecordStore, SqliteRecordStoreOptions } from './record-store/index.ts'
export { openSqliteRecordStore } from './record-store/index.ts'
export type { TimerScheduleOptions } from './schedule.ts'
export { createTimerSchedule } from './schedule.ts'
export type { FileSecretsOptions } from './secrets.ts'
export { createFileSecrets } from './secrets.ts'
export { systemClock, systemRandom } from './system.ts'
export type { DurableWorkQueue, DurableWorkQueueOptions, WorkFailure } from './work-queue/index.ts'
export { createDurableWorkQueue } from './work-queue/index.ts'
