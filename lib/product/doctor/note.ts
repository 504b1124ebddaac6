/** Keeps the last result of a doctor in the metadata, for whoever asks later. */
import { instantFrom, retryConflicts } from '#lib/kernel/index.ts'
import type { Clock, RecordStore } from '#lib/ports/index.ts'

/** Throws METADATA_UNREACHABLE. */
export async function noteDoctor(
  records: RecordStore,
  clock: Clock,
  component: string,
  isOk: boolean,
  problems: readonly string[],
): Promise<void> {
  const key = { partition: 'doctor', sort: component }
  const body = { component, status: isOk ? 'ok' : 'failed', at: instantFrom(clock.nowMs()), problems: [...problems] }
  await retryConflicts(async () => {
    const current = await records.find(key)
    if (current === undefined) await records.write({ kind: 'create', record: { key, body } })
    else await records.write({ kind: 'replace', record: { key, body }, expectedVersion: current.version })
  })
}
