/** The policy in the configuration bucket: a short-lived copy, and a change that exactly one instance writes into the ledger. */
import {
  type ActivePolicy,
  type AuditLedger,
  type LevelActions,
  openPolicyKeeper,
  type PolicyKeeper,
} from '#lib/gate/index.ts'
import { isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, ObjectStore, RecordStore } from '#lib/ports/index.ts'
import type { Log } from '#lib/product/index.ts'
import { announcePolicy } from './policy-record.ts'

export interface BucketPolicyOptions {
  readonly objects: ObjectStore
  readonly levelActions: LevelActions
  readonly clock: Clock
  readonly log: Log
  /** Present: changes are written into the ledger, once among all instances. */
  readonly announce?: { readonly records: RecordStore; readonly ledger: AuditLedger }
}

export interface BucketPolicy {
  readonly keeper: PolicyKeeper
  /** Read again when the copy is too old. Never throws: what cannot be taken leaves the last good policy in force. */
  refresh(): Promise<void>
}

const POLICY_KEY = 'policy.json'
const MAX_AGE_MS = 10 * SECOND_MS

/** Undefined: there is none, and the default one holds. Throws STORAGE_UNREACHABLE. */
async function readText(objects: ObjectStore): Promise<string | undefined> {
  try {
    return Buffer.from(await objects.read(POLICY_KEY)).toString('utf8')
  } catch (error) {
    if (isBackstopError(error, 'OBJECT_MISSING')) return undefined
    throw error
  }
}

/**
 * Read it for the first time.
 *
 * Throws: POLICY_INVALID, STORAGE_UNREACHABLE: without a good policy nothing is judged
 */
export async function openBucketPolicy(options: BucketPolicyOptions): Promise<BucketPolicy> {
  const { objects, levelActions, clock, log } = options
  const announce = async (active: ActivePolicy) => {
    if (options.announce !== undefined) await announcePolicy(active.version, { ...options.announce, clock })
  }
  const keeper = await openPolicyKeeper({
    read: () => readText(objects),
    levelActions,
    clock,
    onChange: ({ to }) => announce(to),
    onRefused: ({ message }) => log('error', 'policy_refused', { reason: message }),
  })
  await announce(keeper.active())
  let readAtMs = clock.nowMs()
  return {
    keeper,
    async refresh() {
      const ageMs = clock.nowMs() - readAtMs
      if (ageMs >= 0 && ageMs < MAX_AGE_MS) return
      await keeper.reload()
      readAtMs = clock.nowMs()
    },
  }
}
