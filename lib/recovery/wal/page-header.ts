/**
 * Reads the header of a WAL segment's first page, and proves that it is the segment that its name says. Pure.
 *
 * Source: PostgreSQL, src/include/access/xlog_internal.h, XLogLongPageHeaderData
 */
import { BackstopError } from '#lib/kernel/index.ts'
import { segmentNumber, type WalFile } from './name.ts'

const HEADER_BYTES = 40
/** The high byte of the magic number of every release since 8.0. */
const MAGIC_HIGH_BYTE = 0xd1
const LONG_HEADER_FLAG = 0x0002
const MIN_SEGMENT_BYTES = 1 << 20
export const MAX_SEGMENT_BYTES = 1 << 30

export interface SegmentFacts {
  /** Unsigned 64 bits, decimal. */
  readonly systemIdentifier: string
  readonly segmentBytes: number
}

type SegmentFile = Extract<WalFile, { kind: 'segment' | 'partial' }>

/** Throws WAL_INVALID. */
export function readSegment(file: SegmentFile, content: Uint8Array): SegmentFacts {
  if (content.length < HEADER_BYTES) refuse(file, `it has ${content.length} bytes`)
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const isPage = view.getUint16(0, true) >> 8 === MAGIC_HIGH_BYTE && (view.getUint16(2, true) & LONG_HEADER_FLAG) !== 0
  if (!isPage) refuse(file, 'it does not begin with the header of a WAL segment')
  const segmentBytes = view.getUint32(32, true)
  const isSize =
    segmentBytes >= MIN_SEGMENT_BYTES && segmentBytes <= MAX_SEGMENT_BYTES && (segmentBytes & (segmentBytes - 1)) === 0
  if (!isSize) refuse(file, 'its header names an impossible segment size')
  if (content.length !== segmentBytes) refuse(file, `it has ${content.length} bytes instead of ${segmentBytes}`)
  const startByte = BigInt(segmentNumber(file, segmentBytes)) * BigInt(segmentBytes)
  if (view.getBigUint64(8, true) !== startByte) refuse(file, 'its header belongs to another segment')
  // A segment in which the timeline changed begins with pages of the old one.
  const timeline = view.getUint32(4, true)
  if (timeline === 0 || timeline > file.timeline) refuse(file, 'its header belongs to another timeline')
  return { systemIdentifier: view.getBigUint64(24, true).toString(), segmentBytes }
}

function refuse(file: SegmentFile, reason: string): never {
  throw new BackstopError('WAL_INVALID', `${file.name} cannot be archived: ${reason}`, { details: { name: file.name } })
}
