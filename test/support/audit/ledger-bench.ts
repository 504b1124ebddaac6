/** A ledger over real stores in a temporary folder, with a clock that stands still and stores that can be killed. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemRandom } from '#lib/adapters/system/index.ts'
import type { AuditIntent, LedgerAnchor, LedgerHead, OpenAuditLedger, VerifyReport } from '#lib/gate/audit/index.ts'
import { openAuditLedger, verifyLedger } from '#lib/gate/audit/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordStore } from '#lib/ports/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const ENVIRONMENT = 'test'

export interface LedgerBench {
  readonly folder: string
  readonly records: RecordStore
  readonly objects: ObjectStore
  readonly clock: FixedClock
  readonly anchored: LedgerHead[]
  /** The way to the anchor outside. */
  readonly network: { isDown: boolean }
  /** A process of its own: it dies at its `killAt`th store call, before or after that call had its effect. */
  open(kill?: { readonly killAt: number; readonly when: 'before' | 'after' }): OpenAuditLedger
  verify(anchors?: readonly LedgerAnchor[]): Promise<VerifyReport>
  segmentPath(number: number): string
  close(): Promise<void>
}

export async function openLedgerBench(maxSegmentEntries = 5_000, retentionDays = 90): Promise<LedgerBench> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-ledger-'))
  const clock = createFixedClock()
  const records = openSqliteRecordStore({ path: ':memory:', clock })
  const objects = await openFolderObjectStore({ root: folder, clock, random: systemRandom })
  const anchored: LedgerHead[] = []
  const network = { isDown: false }
  const shared = { clock, random: systemRandom, environment: ENVIRONMENT, retentionDays }
  return {
    folder,
    records,
    objects,
    clock,
    anchored,
    network,
    open(kill) {
      const death = createDeath(kill)
      const anchor = async (head: LedgerHead) => {
        if (network.isDown) throw new BackstopError('NOTIFICATION_FAILED', 'the anchor cannot be reached')
        anchored.push(head)
      }
      const stores = { records: mortal(records, death), objects: mortal(objects, death) }
      return openAuditLedger({ ...shared, ...stores, maxSegmentEntries, anchor })
    },
    verify: (anchors) => verifyLedger({ ...shared, records, objects }, anchors),
    segmentPath: (number) => join(folder, `audit/segments/${String(number).padStart(12, '0')}.jsonl`),
    async close() {
      await records.close()
      await rm(folder, { recursive: true })
    },
  }
}

type Death = <T>(call: () => Promise<T>) => Promise<T>

function createDeath(kill: { readonly killAt: number; readonly when: 'before' | 'after' } | undefined): Death {
  let calls = 0
  return async (call) => {
    calls++
    if (kill === undefined || calls < kill.killAt) return await call()
    if (calls === kill.killAt && kill.when === 'after') await call().catch(() => undefined)
    throw new BackstopError('METADATA_UNREACHABLE', 'this process is dead')
  }
}

/** The same store as a process sees it that may die. */
function mortal<S extends RecordStore | ObjectStore>(store: S, death: Death): S {
  return new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as (...values: unknown[]) => Promise<unknown>
      return (...values: unknown[]) => death(() => member.apply(target, values))
    },
  })
}

export function statement(query: string, agentId = 'agent-1'): AuditIntent {
  return { action: 'statement', principal: 'token-1', agentId, query, riskLevel: 'SAFE', operation: 'SELECT' }
}

export const codesOf = (report: VerifyReport) => [...new Set(report.problems.map((problem) => problem.code))].sort()
