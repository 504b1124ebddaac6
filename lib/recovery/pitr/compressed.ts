/** Streams through zstd: into an object that is being written, and out of one. */
import { pipeline, Readable } from 'node:stream'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectUpload, WrittenObject } from '#lib/ports/index.ts'

/** Data files are half empty: level 1 takes most of it out, faster than a disk reads. */
const LEVEL = 1

export interface CompressedUpload {
  /** Resolves when more may be written. */
  write(chunk: Uint8Array): Promise<void>
  commit(): Promise<WrittenObject>
  /** Idempotent. */
  abort(): Promise<void>
}

export function compressInto(upload: ObjectUpload): CompressedUpload {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 }
  const compressor = createZstdCompress({ params })
  const pumped = (async () => {
    for await (const chunk of compressor) await upload.write(chunk as Uint8Array)
  })()
  pumped.catch(() => {})
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        // The cause is what the upload said, not that the stream was closed because of it.
        compressor.write(chunk, (error) => (error ? pumped.then(() => reject(error), reject) : resolve()))
      }),
    commit: async () => {
      compressor.end()
      await pumped
      return await upload.commit()
    },
    abort: async () => {
      compressor.destroy()
      await pumped.catch(() => {})
      await upload.abort()
    },
  }
}

/** Throws BACKUP_CORRUPT for what zstd cannot read; errors of the source stay what they are. */
export async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const plain = createZstdDecompress()
  pipeline(Readable.from(source, { objectMode: false }), plain, () => {})
  try {
    for await (const chunk of plain) yield chunk as Uint8Array
  } catch (error) {
    if (isBackstopError(error) || !isZlibError(error)) throw error
    throw new BackstopError('BACKUP_CORRUPT', 'the base backup cannot be decompressed', { cause: error })
  }
}

function isZlibError(error: unknown): boolean {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code !== undefined && /^(?:Z|ERR_ZLIB|ZSTD)/.test(code)
}
