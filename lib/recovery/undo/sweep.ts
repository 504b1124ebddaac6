/** Removes pre-images that nothing needs any more: past their time, or of writes that were never committed. */
import { epochMsOf, type Instant, isBackstopError, MINUTE_MS } from '#lib/kernel/index.ts'
import type { ObjectInfo } from '#lib/ports/index.ts'
import { auditIdOf, UNDO_PREFIX } from './codec.ts'
import type { KeepPorts } from './keep.ts'
import { transactionStatus } from './transaction-status.ts'

/** Longer than any write may run: until then its record may still be written, and its transaction end. */
const SETTLED_AFTER_MS = 30 * MINUTE_MS

export interface UndoSweep {
  readonly looked: number
  readonly dropped: number
}

async function isNeeded(ports: KeepPorts, object: ObjectInfo, nowMs: number): Promise<boolean> {
  const auditId = auditIdOf(object.key)
  // Not ours to judge.
  if (auditId === undefined) return true
  const found = await ports.shelf.find(auditId)
  if (found === undefined) return nowMs - object.modifiedAtMs < SETTLED_AFTER_MS
  if (nowMs - epochMsOf(found.record.keptAt as Instant) < SETTLED_AFTER_MS) return true
  const { transactionId } = found.record
  return (await ports.database.withSession((session) => transactionStatus(session, transactionId))) !== 'aborted'
}

async function dropOne(ports: KeepPorts, key: string): Promise<number> {
  const auditId = auditIdOf(key)
  if (auditId === undefined) return 0
  try {
    await ports.shelf.drop(auditId)
    return 1
  } catch (error) {
    if (isBackstopError(error, 'RECORD_CHANGED')) return 0
    throw error
  }
}

/** Safe at any time and anywhere; a second sweep finds nothing more. */
export async function sweepUndo(ports: KeepPorts): Promise<UndoSweep> {
  const nowMs = ports.clock.nowMs()
  let [looked, dropped] = [0, 0]
  let cursor: string | undefined
  const { objects } = ports
  do {
    const page = await objects.list(UNDO_PREFIX, cursor)
    for (const object of page.objects) {
      looked += 1
      if (!(await isNeeded(ports, object, nowMs))) dropped += await dropOne(ports, object.key)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return { looked, dropped }
}
