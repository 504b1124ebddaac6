export { buildAlertDocument } from './alert-document.ts'
export type { Clock } from './clock.ts'
export type {
  Columnar,
  ColumnarColumn,
  ColumnarReader,
  ColumnarWriter,
  ColumnBatch,
  ColumnValues,
  LogicalType,
  PhysicalType,
} from './columnar.ts'
export { decodeCursor, encodeCursor } from './cursor.ts'
export type {
  CappedOptions,
  CappedResult,
  ColumnInfo,
  Database,
  DatabaseFailure,
  DatabaseSession,
  SqlParameter,
} from './database.ts'
export { StatementError } from './database.ts'
export type { HttpHandler, HttpRequest, HttpResponse } from './http.ts'
export type { DataKey, KeyContext, KeyRing } from './key-ring.ts'
export { assertKeyContext, DATA_KEY_BYTES } from './key-ring.ts'
export type { FolderFacts, FolderWriter, LocalFiles, ScratchFolder, SpooledFile } from './local-files.ts'
export type {
  BaseBackupOptions,
  DumpListing,
  DumpOptions,
  FolderBackupOptions,
  NativeTools,
  RestoreDumpOptions,
  RestoreSource,
  ToolRun,
} from './native-tools.ts'
export type { Alert, AlertDelivery, AlertSeverity, AlertTarget, DeliveryStatus, Notifier } from './notifier.ts'
export { deliveryStatusOf } from './notifier.ts'
export { assertByteRange, assertObjectKey, assertObjectPrefix, OBJECT_PAGE_LIMIT } from './object-rules.ts'
export type {
  ByteRange,
  ObjectInfo,
  ObjectPage,
  ObjectStore,
  ObjectUpload,
  PutOptions,
  WrittenObject,
} from './object-store.ts'
export type { PreparedServer, PreparedServerOrder, PreparedServers } from './prepared-servers.ts'
export type { Random } from './random.ts'
export {
  assertRecordKey,
  assertRecordQuery,
  assertRecordWrite,
  assertTransaction,
  DEFAULT_PAGE_LIMIT,
  encodeRecordBody,
  keyOfWrite,
} from './record-rules.ts'
export type {
  RecordIndex,
  RecordInput,
  RecordKey,
  RecordPage,
  RecordQuery,
  RecordStore,
  RecordWrite,
  StoredRecord,
} from './record-store.ts'
export { MAX_RECORD_BYTES, MAX_TRANSACTION_WRITES } from './record-store.ts'
export type {
  RecoveryHeartbeat,
  RecoveryPoint,
  RecoveryPointOrigin,
  RecoveryPointStatus,
  RecoveryPoints,
} from './recovery-points.ts'
export type { Schedule, ScheduledTask } from './schedule.ts'
export type { CachedSecrets, SecretName, Secrets } from './secrets.ts'
export { memberOfSecret, parseSecretName } from './secrets.ts'
export type {
  RowPlace,
  TouchedTable,
  UndoAction,
  UndoConflict,
  UndoConflictPolicy,
  UndoImages,
  UndoKeeping,
  UndoKept,
  UndoMark,
  UndoReport,
  UndoRequest,
  UndoRow,
} from './undo-images.ts'
export type { SendOptions, WorkConsumer, WorkHandler, WorkItem, WorkQueue } from './work-queue.ts'
export { retryDelayAfter } from './work-queue.ts'
