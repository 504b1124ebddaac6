import type { Columnar } from '#lib/ports/index.ts'
import { ParquetPartReader } from './reader.ts'
import { ParquetPartWriter } from './writer.ts'

/** Parquet with zstd. */
export const parquet: Columnar = {
  openWriter: async (upload, columns) => {
    const writer = new ParquetPartWriter(upload, columns)
    await writer.start()
    return writer
  },
  openReader: (objects, key) => ParquetPartReader.open(objects, key),
}
