/** The one record that says when the background capture was last seen, and how it is. */
import { z } from 'zod'
import type { Instant } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { RecordStore, RecoveryHeartbeat } from '#lib/ports/index.ts'

const KEY = { partition: 'recovery', sort: 'heartbeat' } as const
const heartbeatSchema = z.object({ at: z.string(), isHealthy: z.boolean(), detail: z.string() })

/** Undefined until the first round, or when the record makes no sense. */
export async function findHeartbeat(records: RecordStore): Promise<RecoveryHeartbeat | undefined> {
  const record = await records.find(KEY)
  const result = heartbeatSchema.safeParse(record?.body)
  return result.success ? { ...result.data, at: result.data.at as Instant } : undefined
}

/** Where two writers meet, either's word will do. */
export async function writeHeartbeat(records: RecordStore, heartbeat: RecoveryHeartbeat): Promise<void> {
  const record = { key: KEY, body: { ...heartbeat } }
  const current = await records.find(KEY)
  try {
    await records.write(
      current === undefined
        ? { kind: 'create', record }
        : { kind: 'replace', record, expectedVersion: current.version },
    )
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_CHANGED') && !isBackstopError(error, 'RECORD_EXISTS')) throw error
  }
}
