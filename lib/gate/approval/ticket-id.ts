/** Ids that sort by the time of their making and still cannot be guessed. */
import type { ApprovalId } from '#lib/kernel/index.ts'
import { ID_BYTES, newId } from '#lib/kernel/index.ts'
import type { Clock, Random } from '#lib/ports/index.ts'

const TIME_BYTES = 6

/** 48 bits of epoch milliseconds, then 80 random bits. */
export function newApprovalId(clock: Clock, random: Random): ApprovalId {
  const bytes = Buffer.alloc(ID_BYTES)
  bytes.writeUIntBE(Math.max(0, Math.floor(clock.nowMs())), 0, TIME_BYTES)
  bytes.set(random.bytes(ID_BYTES - TIME_BYTES), TIME_BYTES)
  return newId('appr', bytes)
}
