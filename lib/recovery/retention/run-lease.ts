/** Lets one run of retention remove at a time, wherever it runs. */
import { z } from 'zod'
import type { Instant } from '#lib/kernel/index.ts'
import { epochMsOf, ID_BYTES, instantFrom, isBackstopError, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, Random, RecordKey, RecordStore } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'

const KEY: RecordKey = { partition: 'recovery-retention', sort: 'lease' }
const LEASE_MS = 60 * SECOND_MS
const RENEW_EVERY_MS = LEASE_MS / 4
/** Since the last renewal, on a clock that nobody sets: well before another run may begin. */
const SURE_FOR_MS = LEASE_MS / 2

const leaseSchema = z.object({ holder: z.string(), until: z.string().transform((text) => text as Instant) })

export interface LeasePorts {
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
}

export interface RunLease {
  /** False: it was lost, or could not be renewed for so long that it may be. */
  isSure(): boolean
}

/** Undefined: another run is at it. Throws `METADATA_UNREACHABLE`. */
export async function withRunLease<T>(
  ports: LeasePorts,
  work: (lease: RunLease) => Promise<T>,
): Promise<T | undefined> {
  const { records, clock } = ports
  const holder = Buffer.from(ports.random.bytes(ID_BYTES)).toString('hex')
  if (!(await take(records, holder, clock.nowMs()))) return undefined
  let sureSinceMs = clock.monotonicMs()
  const renew = async () => {
    const beforeMs = clock.monotonicMs()
    if (await take(records, holder, clock.nowMs())) sureSinceMs = beforeMs
  }
  const renewal = setInterval(() => void renew().catch(() => undefined), RENEW_EVERY_MS)
  renewal.unref()
  try {
    return await work({ isSure: () => clock.monotonicMs() - sureSinceMs < SURE_FOR_MS })
  } finally {
    clearInterval(renewal)
    await giveBack(records, holder).catch(() => undefined)
  }
}

async function take(records: RecordStore, holder: string, nowMs: number): Promise<boolean> {
  const current = await records.find(KEY)
  const read = leaseSchema.safeParse(current?.body)
  if (read.success && read.data.holder !== holder && isLive(read.data.until, nowMs)) return false
  const record = { key: KEY, body: { holder, until: instantFrom(nowMs + LEASE_MS) } }
  try {
    if (current === undefined) await records.write({ kind: 'create', record })
    else await records.write({ kind: 'replace', record, expectedVersion: current.version })
    return true
  } catch (error) {
    if (isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')) return false
    throw error
  }
}

async function giveBack(records: RecordStore, holder: string): Promise<void> {
  const current = await records.find(KEY)
  const read = leaseSchema.safeParse(current?.body)
  if (current === undefined || !read.success || read.data.holder !== holder) return
  await records.write({ kind: 'delete', key: KEY, expectedVersion: current.version })
}

/** One that ends further away than any can was written by a wrong clock. */
function isLive(until: Instant, nowMs: number): boolean {
  const leftMs = epochMsOf(until) - nowMs
  return leftMs > 0 && leftMs <= LEASE_MS + CLOCK_SKEW_MS
}
