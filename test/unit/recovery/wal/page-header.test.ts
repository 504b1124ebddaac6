import { describe, expect, test } from 'vitest'
import { parseWalName } from '#lib/recovery/wal/name.ts'
import { readSegment } from '#lib/recovery/wal/page-header.ts'

const MIB = 1 << 20

interface Header {
  readonly magic?: number
  readonly info?: number
  readonly timeline?: number
  readonly address?: bigint
  readonly segmentBytes?: number
  readonly length?: number
}

function page({ magic = 0xd110, info = 2, timeline = 2, address, segmentBytes = MIB, length = MIB }: Header): Buffer {
  const bytes = Buffer.alloc(length)
  bytes.writeUInt16LE(magic, 0)
  bytes.writeUInt16LE(info, 2)
  bytes.writeUInt32LE(timeline, 4)
  bytes.writeBigUInt64LE(address ?? 0x1_0030_0000n, 8)
  bytes.writeBigUInt64LE(18_000_000_000_000_000_001n, 24)
  bytes.writeUInt32LE(segmentBytes, 32)
  bytes.writeUInt32LE(8_192, 36)
  return bytes
}

/** With segments of 1 MiB: byte 0x100300000. */
const NAME = '000000020000000100000003'
const read = (header: Header, name = NAME) => {
  const file = parseWalName(name)
  if (file.kind !== 'segment' && file.kind !== 'partial') throw new Error('no segment')
  return readSegment(file, page(header))
}

describe('the header of a segment', () => {
  test('names the system and the size of segments', () => {
    expect(read({})).toEqual({ systemIdentifier: '18000000000000000001', segmentBytes: MIB })
    expect(read({ timeline: 1 })).toMatchObject({ segmentBytes: MIB })
    expect(read({}, `${NAME}.partial`)).toMatchObject({ segmentBytes: MIB })
  })

  test.each<[string, Header]>([
    ['no magic number', { magic: 0 }],
    ['no long header', { info: 0 }],
    ['the next segment', { address: 0x1_0040_0000n }],
    ['a later timeline', { timeline: 3 }],
    ['no timeline', { timeline: 0 }],
    ['an impossible size', { segmentBytes: 3 * MIB }],
    ['one byte too few', { length: MIB - 1 }],
    ['bytes too many', { length: 2 * MIB }],
  ])('is refused with %s', (_, header) => {
    expect(() => read(header)).toThrow(expect.objectContaining({ code: 'WAL_INVALID' }))
  })

  test('is refused where there is not even a header', () => {
    const file = parseWalName(NAME)
    if (file.kind !== 'segment') throw new Error('no segment')
    expect(() => readSegment(file, Buffer.alloc(39))).toThrow('it has 39 bytes')
  })
})
