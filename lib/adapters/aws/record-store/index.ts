export { DYNAMO_SCHEMA } from './schema.ts'
export type { DynamoRecordStore, DynamoRecordStoreOptions } from './store.ts'
export { openDynamoRecordStore } from './store.ts'
