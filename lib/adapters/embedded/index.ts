export type { SqliteRecordStore, SqliteRecordStoreOptions } from './record-store/index.ts'
export { openSqliteRecordStore } from './record-store/index.ts'
export { systemClock, systemRandom } from './system.ts'
