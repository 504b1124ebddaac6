export type { SqliteRecordStore, SqliteRecordStoreOptions } from './store.ts'
export { openSqliteRecordStore } from './store.ts'
