/**
 * Which policy was last written into the ledger: one record for all instances.
 *
 * Invariants: of many instances that see a new version, one writes it into the ledger, before any of them lets it come into
 *             force. One that dies in between is relieved after a few seconds; then the change may stand there twice
 */
import type { AuditLedger } from '#lib/gate/index.ts'
import { BackstopError, epochMsOf, type Instant, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, RecordStore, RecordWrite, StoredRecord } from '#lib/ports/index.ts'

export interface AnnouncePorts {
  readonly records: RecordStore
  readonly ledger: AuditLedger
  readonly clock: Clock
}

interface Announcement {
  readonly version: string
  readonly from: string
  readonly state: 'writing' | 'written'
  readonly at: Instant
}

const KEY = { partition: 'policy', sort: 'announced' }
const RELIEVED_AFTER_MS = 5_000
const LOOK_EVERY_MS = 100
const LOOKS = 80

type Step = { readonly kind: 'done' | 'wait' } | { readonly kind: 'announce'; readonly from: string }

/** What an instance that has `version` does about what is announced. */
function planStep(announced: Announcement | undefined, version: string, nowMs: number): Step {
  if (announced === undefined) return { kind: 'announce', from: 'none' }
  if (announced.state === 'writing') {
    const isAbandoned = nowMs - epochMsOf(announced.at) >= RELIEVED_AFTER_MS
    return isAbandoned ? { kind: 'announce', from: announced.from } : { kind: 'wait' }
  }
  return announced.version === version ? { kind: 'done' } : { kind: 'announce', from: announced.version }
}

function writeOf(found: StoredRecord | undefined, body: Announcement): RecordWrite {
  const record = { key: KEY, body: { ...body } }
  return found === undefined ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion: found.version }
}

/** False: another instance was faster. */
async function tryAnnounce(
  ports: AnnouncePorts,
  found: StoredRecord | undefined,
  change: { readonly from: string; readonly version: string },
): Promise<boolean> {
  const { records, ledger, clock } = ports
  const body = { ...change, at: instantFrom(clock.nowMs()) }
  try {
    const version = await records.write(writeOf(found, { ...body, state: 'writing' }))
    const facts = { from: change.from, to: change.version }
    await ledger.record({ action: 'policy-changed', principal: 'policy-bucket', facts }, { outcome: 'recorded' })
    await records.write({
      kind: 'replace',
      record: { key: KEY, body: { ...body, state: 'written' } },
      expectedVersion: version,
    })
    return true
  } catch (error) {
    if (isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')) return false
    throw error
  }
}

/** Returns when the version is in the ledger. Throws AUDIT_UNAVAILABLE, METADATA_UNREACHABLE: then it must not come into force. */
export async function announcePolicy(version: string, ports: AnnouncePorts): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    const found = await ports.records.find(KEY)
    const step = planStep(found?.body as Announcement | undefined, version, ports.clock.nowMs())
    if (step.kind === 'done') return
    if (step.kind === 'announce' && (await tryAnnounce(ports, found, { from: step.from, version }))) return
    if (step.kind === 'wait') await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
  throw new BackstopError('AUDIT_UNAVAILABLE', 'the change of the policy could not be written into the ledger')
}
