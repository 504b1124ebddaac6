export type {
  CloseReport,
  HttpServerOptions,
  HttpServerTimeouts,
  RunningHttpServer,
  TlsFiles,
} from './http-server/index.ts'
export { openHttpServer } from './http-server/index.ts'
export type { SecretKeyRingOptions } from './key-ring.ts'
export { createSecretKeyRing } from './key-ring.ts'
export { addMasterKey } from './master-keys.ts'
export { openFolderObjectStore } from './object-store/index.ts'
export type { Cluster, ClusterOptions } from './postgres-cluster/index.ts'
export { startCluster } from './postgres-cluster/index.ts'
export type { SqliteRecordStore } from './record-store/index.ts'
export { openSqliteRecordStore } from './record-store/index.ts'
export { createTimerSchedule } from './schedule.ts'
export { createFileSecrets } from './secrets.ts'
export type { DurableWorkQueue, DurableWorkQueueOptions, WorkFailure } from './work-queue/index.ts'
export { createDurableWorkQueue } from './work-queue/index.ts'
