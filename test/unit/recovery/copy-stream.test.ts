import { expect, test } from 'vitest'
import { areaOf, copyBytes } from '#lib/recovery/copy/copy-bytes.ts'
import type { ColumnEncoding } from '#lib/recovery/copy/index.ts'
import {
  CopyDecoder,
  encodeCopyHeader,
  encodeCopyRows,
  encodeCopyTrailer,
  reuseBytes,
} from '#lib/recovery/copy/index.ts'

const INT_AND_TEXT: readonly ColumnEncoding[] = [{ kind: 'int32' }, { kind: 'string' }]
const HEADER = '5047434f50590aff0d0a00' + '00000000' + '00000000'
/** (1, 'ab'), (NULL, ''), (-2, NULL) */
const ROWS =
  '0002' +
  '0000000400000001' +
  '000000026162' +
  '0002' +
  'ffffffff' +
  '00000000' +
  '0002' +
  '00000004fffffffe' +
  'ffffffff'
const TRAILER = 'ffff'
const stream = (...hex: string[]) => Buffer.from(hex.join(''), 'hex')

function decodeInChunks(bytes: Uint8Array, chunkBytes: number) {
  const decoder = new CopyDecoder(INT_AND_TEXT)
  for (let start = 0; start < bytes.length; start += chunkBytes) decoder.push(bytes.subarray(start, start + chunkBytes))
  decoder.finish()
  return decoder.take()
}

test('decodes values, NULLs and empty strings into columns', () => {
  const batch = decodeInChunks(stream(HEADER, ROWS, TRAILER), 1_000)
  expect(batch.rowCount).toBe(3)
  expect(batch.columns[0]).toEqual({
    bytes: Uint8Array.of(1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff),
    nullCount: 1,
    nulls: Uint8Array.of(0, 1, 0),
  })
  expect(batch.columns[1]).toEqual({
    bytes: Uint8Array.of(2, 0, 0, 0, 0x61, 0x62, 0, 0, 0, 0),
    nullCount: 1,
    nulls: Uint8Array.of(0, 0, 1),
  })
})

test('chunk boundaries make no difference, wherever they fall', () => {
  const bytes = stream(HEADER, ROWS, TRAILER)
  const whole = decodeInChunks(bytes, bytes.length)
  let tried = 0
  for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes += 1) {
    expect(decodeInChunks(bytes, chunkBytes)).toEqual(whole)
    tried += 1
  }
  expect(tried).toBeGreaterThan(40)
})

test('a stream that ends anywhere before its trailer is truncated', () => {
  const bytes = stream(HEADER, ROWS, TRAILER)
  let tried = 0
  for (let length = 0; length < bytes.length; length += 1) {
    const decoder = new CopyDecoder(INT_AND_TEXT)
    decoder.push(bytes.subarray(0, length))
    expect(() => decoder.finish()).toThrow(expect.objectContaining({ code: 'COPY_STREAM_TRUNCATED' }))
    tried += 1
  }
  expect(tried).toBe(bytes.length)
})

test.for([
  ['another signature', '5047434f50590aff0d0a01' + '0000000000000000', 'COPY_HEADER_INVALID'],
  ['critical flags', '5047434f50590aff0d0a00' + '0001000000000000', 'COPY_HEADER_INVALID'],
  ['a negative header extension', '5047434f50590aff0d0a00' + '00000000ffffffff', 'COPY_HEADER_INVALID'],
  ['too many fields', `${HEADER}0003`, 'COPY_FIELD_INVALID'],
  ['a negative field length', `${HEADER}0002fffffffe`, 'COPY_FIELD_INVALID'],
  ['an integer of three bytes', `${HEADER}000200000003000001ffffffffffff`, 'COPY_FIELD_INVALID'],
  ['bytes after the trailer', `${HEADER}ffff00`, 'COPY_HEADER_INVALID'],
] as const)('%s is refused', ([, hex, code]) => {
  const decoder = new CopyDecoder(INT_AND_TEXT)
  expect(() => decoder.push(stream(hex))).toThrow(expect.objectContaining({ code }))
})

test('a header extension is passed over', () => {
  const header = '5047434f50590aff0d0a00' + '00000000' + '00000003' + 'aabbcc'
  expect(decodeInChunks(stream(header, ROWS, TRAILER), 7).rowCount).toBe(3)
})

test('encoding a decoded batch gives the stream back', () => {
  const bytes = stream(HEADER, ROWS, TRAILER)
  const encoded = [encodeCopyHeader(), ...encodeCopyRows(decodeInChunks(bytes, 5), INT_AND_TEXT), encodeCopyTrailer()]
  expect(Buffer.concat(encoded).toString('hex')).toBe(bytes.toString('hex'))
})

test('rows of several chunks are the same in room that is used again', () => {
  const batch = decodeInChunks(stream(HEADER, ...Array(1_500).fill(ROWS), TRAILER), 64)
  const copies = Array.from(encodeCopyRows(batch, INT_AND_TEXT, reuseBytes()), (chunk) => Buffer.from(chunk))
  expect(copies.length).toBeGreaterThan(3)
  expect(Buffer.concat(copies).toString('hex')).toBe(ROWS.repeat(1_500))
})

test('values of every length are copied whole, and nothing beside them is touched', () => {
  const source = areaOf(Uint8Array.from({ length: 600 }, (_, index) => (index % 255) + 1))
  for (let length = 0; length <= 500; length += 1) {
    const target = areaOf(new Uint8Array(520))
    copyBytes(source, 3, target, 5, length)
    const expected = [...Array(5).fill(0), ...source.bytes.subarray(3, 3 + length), ...Array(515 - length).fill(0)]
    expect(Buffer.from(target.bytes).equals(Uint8Array.from(expected))).toBe(true)
  }
})

test('a batch holds only rows since the last one', () => {
  const decoder = new CopyDecoder(INT_AND_TEXT)
  decoder.push(stream(HEADER, ROWS))
  expect(decoder.take().rowCount).toBe(3)
  decoder.push(stream(ROWS, TRAILER))
  decoder.finish()
  expect(decoder.take().rowCount).toBe(3)
  expect(decoder.rowCount).toBe(6)
})
