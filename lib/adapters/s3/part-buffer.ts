/** Collects chunks into the one buffer that a part is sent from, no larger than what came. */
const FIRST_CAPACITY_BYTES = 65_536

export class PartBuffer {
  readonly #limitBytes: number
  #bytes: Buffer
  #length = 0

  /** `expectedBytes`: how much is likely to come. */
  constructor(limitBytes: number, expectedBytes = FIRST_CAPACITY_BYTES) {
    this.#limitBytes = limitBytes
    this.#bytes = Buffer.allocUnsafe(Math.min(expectedBytes, limitBytes))
  }

  get isFull(): boolean {
    return this.#length === this.#limitBytes
  }

  /** Copy as much of the chunk as there is room for; returns how many bytes that were. */
  take(chunk: Uint8Array): number {
    const count = Math.min(chunk.length, this.#limitBytes - this.#length)
    this.#reserve(this.#length + count)
    this.#bytes.set(chunk.subarray(0, count), this.#length)
    this.#length += count
    return count
  }

  content(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.min(this.#limitBytes, Math.max(sizeBytes, this.#bytes.length * 2)))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
