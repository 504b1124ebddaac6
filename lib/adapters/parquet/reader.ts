/** Parquet files of this project's writer back into column batches, by ranged reads. */
import type { FileMetaData, RowGroup } from 'hyparquet'
import { parquetMetadataAsync } from 'hyparquet/src/metadata.js'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ColumnarReader, ColumnBatch, ColumnValues, ObjectStore } from '#lib/ports/index.ts'
import { decodePage } from './decode-page.ts'

export class ParquetPartReader implements ColumnarReader {
  readonly #objects: ObjectStore
  readonly #key: string
  readonly #metadata: FileMetaData

  private constructor(objects: ObjectStore, key: string, metadata: FileMetaData) {
    this.#objects = objects
    this.#key = key
    this.#metadata = metadata
  }

  static async open(objects: ObjectStore, key: string): Promise<ParquetPartReader> {
    const info = await objects.find(key)
    if (info === undefined) throw new BackstopError('OBJECT_MISSING', `no object ${key}`)
    const file = {
      byteLength: info.sizeBytes,
      slice: async (startByte: number, endByte = info.sizeBytes) => {
        const bytes = await objects.read(key, { startByte, lengthBytes: endByte - startByte })
        return Uint8Array.from(bytes).buffer
      },
    }
    try {
      return new ParquetPartReader(objects, key, await parquetMetadataAsync(file))
    } catch (error) {
      if (isBackstopError(error) && error.code !== 'OBJECT_RANGE_INVALID') throw error
      throw new BackstopError('SNAPSHOT_CORRUPT', `the end of ${key} is not that of a Parquet file`, { cause: error })
    }
  }

  get rowCount(): number {
    return Number(this.#metadata.num_rows)
  }

  get groupCount(): number {
    return this.#metadata.row_groups.length
  }

  get columnNames(): readonly string[] {
    return this.#metadata.schema.slice(1).map((element) => element.name)
  }

  async readGroup(index: number): Promise<ColumnBatch> {
    const group = this.#metadata.row_groups[index]
    if (group === undefined) throw new RangeError(`the file has no group ${index}`)
    const rowCount = Number(group.num_rows)
    const { startByte, lengthBytes } = extentOf(group)
    const bytes = await this.#objects.read(this.#key, { startByte, lengthBytes })
    const columns = await Promise.all(
      group.columns.map((chunk): Promise<ColumnValues> => {
        const meta = chunk.meta_data
        if (meta === undefined)
          throw new BackstopError('SNAPSHOT_CORRUPT', `${this.#key} has a column without metadata`)
        const from = Number(meta.data_page_offset) - startByte
        return decodePage(bytes.subarray(from, from + Number(meta.total_compressed_size)), rowCount, meta)
      }),
    )
    return { rowCount, columns }
  }
}

/** The columns of a group lie end to end. */
function extentOf(group: RowGroup): { startByte: number; lengthBytes: number } {
  const metas = group.columns.map((chunk) => chunk.meta_data)
  const startByte = Math.min(...metas.map((meta) => Number(meta?.data_page_offset ?? Number.NaN)))
  const lengthBytes = metas.reduce((sum, meta) => sum + Number(meta?.total_compressed_size ?? Number.NaN), 0)
  return { startByte, lengthBytes }
}
