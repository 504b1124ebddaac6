/** A WAL segment that no server wrote: a header as PostgreSQL's and arbitrary content, for drills. Pure. */
import type { Random } from '#lib/ports/index.ts'
import { segmentName } from '../wal/index.ts'

/** The smallest that PostgreSQL knows. */
export const SIMULATED_SEGMENT_BYTES = 1 << 20
const MAGIC = 0xd118
const LONG_HEADER_FLAG = 0x0002
const BLOCK_BYTES = 8_192
const NOISE_BYTES = 4_096

export interface SimulatedSegment {
  readonly name: string
  readonly content: Uint8Array
}

/** Part of it is noise and part repeats, so that compression has something to do and something to keep. */
export function simulateSegment(number: number, systemIdentifier: bigint, random: Random): SimulatedSegment {
  const content = Buffer.alloc(SIMULATED_SEGMENT_BYTES, random.bytes(NOISE_BYTES))
  content.set(random.bytes(NOISE_BYTES), SIMULATED_SEGMENT_BYTES - NOISE_BYTES)
  content.writeUInt16LE(MAGIC, 0)
  content.writeUInt16LE(LONG_HEADER_FLAG, 2)
  content.writeUInt32LE(1, 4)
  content.writeBigUInt64LE(BigInt(number) * BigInt(SIMULATED_SEGMENT_BYTES), 8)
  content.writeBigUInt64LE(systemIdentifier, 24)
  content.writeUInt32LE(SIMULATED_SEGMENT_BYTES, 32)
  content.writeUInt32LE(BLOCK_BYTES, 36)
  return { name: segmentName(1, number, SIMULATED_SEGMENT_BYTES), content }
}

export function simulateSystemIdentifier(random: Random): bigint {
  return Buffer.from(random.bytes(8)).readBigUInt64LE(0)
}
