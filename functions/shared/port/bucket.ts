/** The buckets: recovery points, sealed audit segments, configuration. */
import { openS3ObjectStore } from '#lib/adapters/s3/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { findVariable, getVariable } from '../environment.ts'
import { SYSTEM } from './aws.ts'

/**
 * `request`: API Gateway waits 29 seconds, and a storage that does not answer has to show before that. `run`: parts of large
 * tables may take their time.
 */
type Patience = 'request' | 'run'

const PATIENCE = { request: { attempts: 3, requestTimeoutMs: 6_000 }, run: {} } as const

function openBucket(variable: string, patience: Patience): ObjectStore {
  const endpoint = findVariable('AWS_ENDPOINT_URL')
  return openS3ObjectStore({
    bucket: getVariable(variable),
    ...PATIENCE[patience],
    region: getVariable('AWS_REGION'),
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...SYSTEM,
  })
}

export const openSnapshotBucket = (patience: Patience = 'run') => openBucket('BACKSTOP_SNAPSHOT_BUCKET', patience)
export const openAuditBucket = () => openBucket('BACKSTOP_AUDIT_BUCKET', 'run')
export const openConfigBucket = () => openBucket('BACKSTOP_CONFIG_BUCKET', 'request')

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
