/** One compressed Parquet data page back into the values of its column chunk. */
import { promisify } from 'node:util'
import { constants as zlib, zstdDecompress } from 'node:zlib'
import type { ColumnMetaData } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ColumnValues } from '#lib/ports/index.ts'
import { unpackBits } from './levels.ts'

const decompress = promisify(zstdDecompress)

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
  // In one chunk, since each is a trip to the thread pool; one byte of room, since a chunk that is exactly full asks for another one.
  const options = {
    chunkSize: Math.max(zlib.Z_DEFAULT_CHUNK, plainBytes + 1),
    maxOutputLength: Math.max(1, plainBytes),
  }
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
