import type { Columnar } from '#lib/ports/index.ts'
import { ParquetPartReader } from './reader.ts'

/** Parquet with zstd. */
export const parquet: Columnar = {
  openWriter: async (upload, columns) => {
    // A library that who only reads does not wait for.
    const { ParquetPartWriter } = await import('./writer.ts')
    const writer = new ParquetPartWriter(upload, columns)
    await writer.start()
    return writer
  },
  openReader: (objects, key) => ParquetPartReader.open(objects, key),
}
