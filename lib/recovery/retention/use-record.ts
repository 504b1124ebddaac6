/** Says for as long as somebody reads a point that it must stay. */
import { z } from 'zod'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import { epochMsOf, ID_BYTES, instantFrom, isBackstopError, MINUTE_MS, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, Random, RecordStore } from '#lib/ports/index.ts'
import { CLOCK_SKEW_MS } from '../catalog/index.ts'

const PARTITION = 'recovery-use'
const PAGE_RECORDS = 1_000
/** Renewed each third of it while the work goes on. */
const USE_MS = 10 * MINUTE_MS

const useSchema = z.object({
  snapshotId: z.string().transform((text) => text as SnapshotId),
  until: z.string().transform((text) => text as Instant),
})

export interface UsePorts {
  readonly records: RecordStore
  readonly clock: Clock
  readonly random: Random
}

/**
 * The outcome of `work`, with the point noted as being in use.
 *
 * Invariants: the note is there before the work begins. Where notes cannot be written the work goes on: a restore must be possible
 *             without the metadata, and what a removal takes from it fails it cleanly
 */
export async function whileInUse<T>(ports: UsePorts, snapshotId: SnapshotId, work: () => Promise<T>): Promise<T> {
  const holder = Buffer.from(ports.random.bytes(ID_BYTES)).toString('hex')
  const sort = `${snapshotId}#${holder}`
  let version = await note(ports, snapshotId, sort, 0)
  const renewal = setInterval(() => {
    void note(ports, snapshotId, sort, version).then((next) => {
      version = next
    })
  }, USE_MS / 3)
  renewal.unref()
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await drop(ports, sort)
  }
}

/** Ids of the points that are in use now. */
export async function listUsed(records: RecordStore, nowMs: number): Promise<ReadonlySet<string>> {
  const used = new Set<string>()
  let cursor: string | undefined
  do {
    const from = cursor === undefined ? {} : { cursor }
    const page = await records.query({ partition: PARTITION, limit: PAGE_RECORDS, ...from })
    for (const record of page.records) {
      const read = useSchema.safeParse(record.body)
      if (read.success && isLive(read.data.until, nowMs)) used.add(read.data.snapshotId)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return used
}

/** Whether a point came to be used since; sees every note that was written before. */
export async function isUsed(records: RecordStore, snapshotId: SnapshotId, nowMs: number): Promise<boolean> {
  const page = await records.query({ partition: PARTITION, sortPrefix: `${snapshotId}#`, limit: PAGE_RECORDS })
  return page.records.some(({ body }) => {
    const read = useSchema.safeParse(body)
    return read.success && isLive(read.data.until, nowMs)
  })
}

/** A note that ends further away than any can was written by a wrong clock. */
function isLive(until: Instant, nowMs: number): boolean {
  const leftMs = epochMsOf(until) - nowMs
  return leftMs > 0 && leftMs <= USE_MS + CLOCK_SKEW_MS
}

async function note(ports: UsePorts, snapshotId: SnapshotId, sort: string, version: number): Promise<number> {
  const untilMs = ports.clock.nowMs() + USE_MS
  const record = {
    key: { partition: PARTITION, sort },
    body: { snapshotId, until: instantFrom(untilMs) },
    expiresAtS: Math.ceil(untilMs / SECOND_MS),
  }
  try {
    if (version === 0) return await ports.records.write({ kind: 'create', record })
    return await ports.records.write({ kind: 'replace', record, expectedVersion: version })
  } catch (error) {
    if (!isBackstopError(error)) throw error
    return version
  }
}

async function drop({ records }: UsePorts, sort: string): Promise<void> {
  const key = { partition: PARTITION, sort }
  try {
    const current = await records.find(key)
    if (current !== undefined) await records.write({ kind: 'delete', key, expectedVersion: current.version })
  } catch (error) {
    if (!isBackstopError(error)) throw error
  }
}
