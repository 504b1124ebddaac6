/** One COPY of a table into parts: decoding, compression and upload overlap with the server's work. */

import { BackstopError } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { CopyDecoder } from '../copy/index.ts'
import { UnencodableValue } from '../copy/index.ts'
import type { PartWriter } from './part-writer.ts'

/** Values of a row group before compression. Two groups are in memory at a time. */
const GROUP_BYTES = 8 * 1024 * 1024

export type CopyOutcome =
  | { readonly ok: true; readonly rowCount: number }
  /** The encoding of this column cannot hold one of the values. The stream was read to its end. */
  | { readonly ok: false; readonly columnIndex: number }

export async function copyRows(
  session: DatabaseSession,
  copyQuery: string,
  decoder: CopyDecoder,
  parts: PartWriter,
  groupBytes: number = GROUP_BYTES,
): Promise<CopyOutcome> {
  let writing: Promise<void> = Promise.resolve()
  let misfit: Misfit | undefined
  for await (const chunk of session.copyOut(copyQuery)) {
    // Leaving the loop early would cancel the statement and with it the caller's transaction.
    if (misfit !== undefined) continue
    misfit = pushChunk(decoder, chunk)
    if (misfit !== undefined || decoder.batchBytes < groupBytes) continue
    await writing
    writing = parts.write(decoder.take())
    writing.catch(() => undefined)
  }
  await writing
  if (misfit instanceof BackstopError) throw misfit
  if (misfit !== undefined) return { ok: false, columnIndex: misfit }
  decoder.finish()
  await parts.write(decoder.take())
  return { ok: true, rowCount: decoder.rowCount }
}

/** The column whose encoding is too narrow, or why the table cannot be stored at all. */
type Misfit = number | BackstopError

function pushChunk(decoder: CopyDecoder, chunk: Uint8Array): Misfit | undefined {
  try {
    decoder.push(chunk)
    return undefined
  } catch (error) {
    if (error instanceof UnencodableValue) return error.columnIndex
    if (error instanceof BackstopError && error.code === 'ROW_TOO_LARGE') return error
    throw error
  }
}
