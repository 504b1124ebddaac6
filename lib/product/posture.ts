/** How well agents are kept to the gate, as the last look saw it: written down for the health page. */
import { z } from 'zod'
import { type Instant, instantFrom, isBackstopError } from '#lib/kernel/index.ts'
import type { RecordStore } from '#lib/ports/index.ts'
import type { Posture } from '#lib/recovery/index.ts'
import type { Parts } from './model.ts'

const KEY = { partition: 'recovery-watch', sort: 'posture' } as const

const postureSchema = z.object({
  status: z.enum(['healthy', 'degraded', 'recovery_only']),
  reasons: z.array(z.string()),
  since: z.string().transform((text) => text as Instant),
})

export interface KnownPosture extends Posture {
  readonly since: Instant
}

/** Undefined until the first look. Throws METADATA_UNREACHABLE. */
export async function findPosture(records: RecordStore): Promise<KnownPosture | undefined> {
  const parsed = postureSchema.safeParse((await records.find(KEY))?.body)
  return parsed.success ? parsed.data : undefined
}

/** Write it down, and into the log, when it is another one than before. Throws METADATA_UNREACHABLE. */
export async function notePosture(
  { records, clock, log }: Pick<Parts, 'records' | 'clock' | 'log'>,
  { status, reasons }: Posture,
): Promise<void> {
  const current = await records.find(KEY)
  const known = postureSchema.safeParse(current?.body)
  if (known.success && JSON.stringify([known.data.status, known.data.reasons]) === JSON.stringify([status, reasons]))
    return
  const record = { key: KEY, body: { status, reasons, since: instantFrom(clock.nowMs()) } }
  log(status === 'healthy' ? 'info' : 'warning', 'prevention_posture', { status, reasons })
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
