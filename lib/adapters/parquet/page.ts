/** One column chunk as one compressed Parquet data page, and back. */
import { promisify } from 'node:util'
import { constants as zlib, zstdCompress, zstdDecompress } from 'node:zlib'
import type { ColumnMetaData } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ColumnValues } from '#lib/ports/index.ts'
import { encodeLevels, packBits, unpackBits } from './levels.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
/** Fast: pages are written once and read seldom. */
const COMPRESSION_PARAMS = { [zlib.ZSTD_c_compressionLevel]: 1 }
/** Output comes in chunks, each a trip to the thread pool and back: the default of 16 KiB makes a thousand trips of a page. */
const MIN_CHUNK_BYTES = 16_384

export interface EncodedPage {
  readonly header: Uint8Array
  readonly levels: Uint8Array
  readonly body: Uint8Array
  /** Header, levels and body, as they would be without compression. */
  readonly uncompressedBytes: number
}

/** Compression runs on the thread pool: the pages of a group are compressed at the same time. */
export async function encodePage(values: ColumnValues, rowCount: number, isBoolean: boolean): Promise<EncodedPage> {
  const plain = isBoolean ? packBits(values.bytes) : values.bytes
  const levels = encodeLevels(rowCount, values.nulls)
  const body = await compress(plain, {
    params: COMPRESSION_PARAMS,
    chunkSize: Math.max(MIN_CHUNK_BYTES, plain.length >> 1),
  })
  const writer = new ByteWriter()
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: levels.length + plain.length,
    compressed_page_size: levels.length + body.length,
    data_page_header_v2: {
      num_values: rowCount,
      num_nulls: values.nullCount,
      num_rows: rowCount,
      encoding: 'PLAIN',
      definition_levels_byte_length: levels.length,
      repetition_levels_byte_length: 0,
      is_compressed: true,
    },
  })
  const header = writer.getBytes()
  return { header, levels, body, uncompressedBytes: header.length + levels.length + plain.length }
}

/** Throws SNAPSHOT_CORRUPT unless the chunk is exactly one page as `encodePage` makes it. */
export async function decodePage(chunk: Uint8Array, rowCount: number, meta: ColumnMetaData): Promise<ColumnValues> {
  const reader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), offset: 0 }
  const header = parquetHeader(reader)
  const page = header.data_page_header_v2
  if (page === undefined || page.encoding !== 'PLAIN' || page.num_rows !== rowCount) throw corruptPage()
  if (reader.offset + header.compressed_page_size !== chunk.length) throw corruptPage()
  const bodyStart = reader.offset + page.definition_levels_byte_length
  const nulls = page.num_nulls === 0 ? undefined : decodeNulls(reader, rowCount, page.definition_levels_byte_length)
  const plainBytes = header.uncompressed_page_size - page.definition_levels_byte_length
  const plain = await expand(chunk.subarray(bodyStart), plainBytes)
  const bytes = meta.type === 'BOOLEAN' ? unpackBits(plain, rowCount - page.num_nulls) : plain
  return { bytes, nullCount: page.num_nulls, ...(nulls === undefined ? {} : { nulls }) }
}

/** Throws SNAPSHOT_CORRUPT when the body is damaged or of another length. */
async function expand(body: Uint8Array, plainBytes: number): Promise<Uint8Array> {
  // One byte of room: a chunk that is exactly full asks for another one and another trip.
  const options = { chunkSize: Math.max(MIN_CHUNK_BYTES, plainBytes + 1), maxOutputLength: Math.max(1, plainBytes) }
  const plain = await decompress(body, options).catch(() => Promise.reject(corruptPage()))
  if (plain.length !== plainBytes) throw corruptPage()
  // A Buffer's subarray costs three times that of a plain array, and rows are cut out of this a million times.
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength)
}

function decodeNulls(reader: { view: DataView; offset: number }, rowCount: number, lengthBytes: number): Uint8Array {
  const nulls = new Uint8Array(rowCount)
  readRleBitPackedHybrid(reader, 1, nulls, lengthBytes)
  for (let row = 0; row < rowCount; row += 1) nulls[row] = nulls[row] === 1 ? 0 : 1
  return nulls
}

function corruptPage(): BackstopError {
  return new BackstopError('SNAPSHOT_CORRUPT', 'a page of the Parquet file is not as it was written')
}
