/** The values of one column chunk as one compressed Parquet data page. */
import { promisify } from 'node:util'
import { constants as zlib, zstdCompress } from 'node:zlib'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import type { ColumnValues } from '#lib/ports/index.ts'
import { encodeLevels, packBits } from './levels.ts'

const compress = promisify(zstdCompress)
/** Fast: pages are written once and read seldom. */
const COMPRESSION_PARAMS = { [zlib.ZSTD_c_compressionLevel]: 1 }

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
    // Output comes in chunks, each a trip to the thread pool and back: the default makes a thousand trips of a page.
    chunkSize: Math.max(zlib.Z_DEFAULT_CHUNK, plain.length >> 1),
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
