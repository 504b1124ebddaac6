/** The buckets: recovery points, sealed audit segments, configuration. */
import { openS3ObjectStore } from '#lib/adapters/s3/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { findVariable, getVariable } from '../environment.ts'
import { SYSTEM } from './aws.ts'

function openBucket(variable: string): ObjectStore {
  const endpoint = findVariable('AWS_ENDPOINT_URL')
  return openS3ObjectStore({
    bucket: getVariable(variable),
    region: getVariable('AWS_REGION'),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...SYSTEM,
  })
}

export const openSnapshotBucket = () => openBucket('BACKSTOP_SNAPSHOT_BUCKET')
export const openAuditBucket = () => openBucket('BACKSTOP_AUDIT_BUCKET')
export const openConfigBucket = () => openBucket('BACKSTOP_CONFIG_BUCKET')

function refuse(): never {
  throw new BackstopError('BUG', 'this function has no bucket for that')
}

/** For parts of the ledger that this function does not use: it may not read or write what is sealed. */
export const NO_BUCKET: ObjectStore = {
  put: async () => refuse(),
  openUpload: async () => refuse(),
  read: async () => refuse(),
  readStream: refuse,
  find: async () => refuse(),
  list: async () => refuse(),
  delete: async () => refuse(),
}
