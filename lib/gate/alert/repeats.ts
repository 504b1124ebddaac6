/** Keeps alerts of one key within five minutes one, whichever process raises them. */
import { type AlertId, isBackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore } from '#lib/ports/index.ts'

const PARTITION = 'alert-repeats'
const WINDOW_S = 300

const keyOf = (dedupeKey: string): RecordKey => ({ partition: PARTITION, sort: sha256Hex(dedupeKey).slice(0, 32) })

/**
 * The alert that was raised under this key within the window; undefined: this one is the first.
 *
 * Throws: METADATA_UNREACHABLE
 */
export async function findEarlier(
  records: RecordStore,
  dedupeKey: string,
  alertId: AlertId,
  nowMs: number,
): Promise<AlertId | undefined> {
  const key = keyOf(dedupeKey)
  const record = { key, body: { alertId }, expiresAtS: Math.floor(nowMs / 1_000) + WINDOW_S }
  try {
    await records.write({ kind: 'create', record })
    return undefined
  } catch (error) {
    if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
  }
  const found = await records.find(key)
  return found === undefined ? undefined : (found.body['alertId'] as AlertId)
}

/** The next one under this key is a first one again: nobody was told of this one. Throws METADATA_UNREACHABLE. */
export async function forgetEarlier(records: RecordStore, dedupeKey: string): Promise<void> {
  const key = keyOf(dedupeKey)
  const record = await records.find(key)
  if (record !== undefined) await records.write({ kind: 'delete', key, expectedVersion: record.version })
}
