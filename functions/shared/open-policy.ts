/** The policy of a function, from the configuration bucket. */
import { type Foundation, openLedger } from '#lib/product/index.ts'
import { type BucketPolicy, openBucketPolicy } from './policy.ts'
import { NO_BUCKET, openConfigBucket } from './port/bucket.ts'

/** For functions that look at it. Throws POLICY_INVALID, STORAGE_UNREACHABLE. */
export function openPolicy({ settings, clock, log }: Foundation): Promise<BucketPolicy> {
  return openBucketPolicy({ objects: openConfigBucket(), levelActions: settings.levelActions, clock, log })
}

/** For functions that judge by it: what comes into force is in the ledger before. */
export function openAnnouncedPolicy(foundation: Foundation): Promise<BucketPolicy> {
  const { settings, clock, log, records } = foundation
  const announce = { records, ledger: openLedger(foundation, NO_BUCKET) }
  return openBucketPolicy({ objects: openConfigBucket(), levelActions: settings.levelActions, clock, log, announce })
}
