export type { SqliteRecordStore } from './store.ts'
export { openSqliteRecordStore } from './store.ts'
