/** Decoders of one capture: a new one for each range would leave the memory of the last one to the collector, which is in no hurry. */
import type { ColumnEncoding } from '../copy/index.ts'
import { CopyDecoder } from '../copy/index.ts'

export class DecoderShelf {
  readonly #free: { readonly key: string; readonly decoder: CopyDecoder }[] = []

  /** Given back when its batches are written. One whose capture failed is left out. */
  take(encodings: readonly ColumnEncoding[], maxRowBytes: number | undefined): CopyDecoder {
    const key = keyOf(encodings, maxRowBytes)
    const place = this.#free.findIndex((one) => one.key === key)
    const [found] = place < 0 ? [] : this.#free.splice(place, 1)
    found?.decoder.restart()
    return found?.decoder ?? new CopyDecoder(encodings, maxRowBytes)
  }

  giveBack(encodings: readonly ColumnEncoding[], maxRowBytes: number | undefined, decoder: CopyDecoder): void {
    this.#free.push({ key: keyOf(encodings, maxRowBytes), decoder })
  }
}

function keyOf(encodings: readonly ColumnEncoding[], maxRowBytes: number | undefined): string {
  return JSON.stringify([encodings, maxRowBytes ?? null])
}
