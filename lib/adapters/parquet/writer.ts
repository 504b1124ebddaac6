/** Column batches into a Parquet file: pages by hand from ready bytes, the file's frame by hyparquet-writer. */
import type { ColumnChunk } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { ColumnarColumn, ColumnarWriter, ColumnBatch, ObjectUpload } from '#lib/ports/index.ts'
import type { EncodedPage } from './encode-page.ts'
import { encodePage } from './encode-page.ts'
import { buildSchema } from './schema.ts'

const CREATED_BY = 'backstop'

/** Each group has one page per column, so a batch should stay below some tens of megabytes. */
export class ParquetPartWriter implements ColumnarWriter {
  readonly #upload: ObjectUpload
  readonly #columns: readonly ColumnarColumn[]
  readonly #frame: ByteWriter
  readonly #file: ParquetWriter
  #offset = 0

  constructor(upload: ObjectUpload, columns: readonly ColumnarColumn[]) {
    this.#upload = upload
    this.#columns = columns
    this.#frame = new ByteWriter()
    this.#file = new ParquetWriter({
      writer: this.#frame,
      schema: buildSchema(columns),
      codec: 'ZSTD',
      statistics: false,
      createdBy: CREATED_BY,
    })
  }

  get sizeBytes(): number {
    return this.#offset
  }

  /** Write the file's first bytes. */
  async start(): Promise<void> {
    await this.#write(this.#frame.getBytes())
  }

  async writeGroup(batch: ColumnBatch): Promise<void> {
    const pages = await Promise.all(
      this.#columns.map((column, index) => {
        const values = batch.columns[index]
        if (values === undefined) throw new RangeError(`the batch has no column ${column.name}`)
        return encodePage(values, batch.rowCount, column.physical === 'boolean')
      }),
    )
    const startBytes = this.#offset
    const chunks: ColumnChunk[] = []
    for (const [index, page] of pages.entries()) {
      chunks.push(this.#describe(index, page, batch))
      await this.#write(page.header)
      await this.#write(page.levels)
      await this.#write(page.body)
    }
    this.#file.num_rows += BigInt(batch.rowCount)
    this.#file.row_groups.push({
      columns: chunks,
      total_byte_size: BigInt(pages.reduce((sum, page) => sum + page.uncompressedBytes, 0)),
      num_rows: BigInt(batch.rowCount),
      total_compressed_size: BigInt(this.#offset - startBytes),
    })
  }

  async finish(): Promise<void> {
    const headBytes = this.#frame.index
    await this.#file.finish()
    await this.#write(this.#frame.getBytes().subarray(headBytes))
  }

  #describe(index: number, page: EncodedPage, batch: ColumnBatch): ColumnChunk {
    const element = this.#file.schema[index + 1]
    if (element?.type === undefined) throw new RangeError('a column without a type')
    return {
      file_offset: BigInt(this.#offset),
      meta_data: {
        type: element.type,
        encodings: ['PLAIN', 'RLE'],
        path_in_schema: [element.name],
        codec: 'ZSTD',
        num_values: BigInt(batch.rowCount),
        total_compressed_size: BigInt(page.header.length + page.levels.length + page.body.length),
        total_uncompressed_size: BigInt(page.uncompressedBytes),
        data_page_offset: BigInt(this.#offset),
        statistics: { null_count: BigInt(batch.columns[index]?.nullCount ?? 0) },
      },
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#offset += bytes.length
    await this.#upload.write(bytes)
  }
}
