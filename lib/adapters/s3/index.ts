export type { BucketTraits } from './describe.ts'
export type { ObjectLock, S3Credentials, S3ObjectStoreOptions } from './model.ts'
export { openS3ObjectStore, type S3ObjectStore } from './store.ts'
