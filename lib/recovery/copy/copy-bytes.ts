/** Copies one value's bytes: by words where it is short, since a call into the runtime costs as much as 200 bytes do. */

/** The same memory in both forms. */
export interface ByteArea {
  readonly bytes: Uint8Array
  readonly view: DataView
}

const WORD_BYTES = 8
/** Above this the runtime's own copy is faster, in spite of the array object that it takes. */
const MAX_WORDWISE_BYTES = 200

export function copyBytes(source: ByteArea, from: number, target: ByteArea, to: number, lengthBytes: number): void {
  if (lengthBytes > MAX_WORDWISE_BYTES) {
    target.bytes.set(source.bytes.subarray(from, from + lengthBytes), to)
    return
  }
  let done = 0
  for (; done + WORD_BYTES <= lengthBytes; done += WORD_BYTES) {
    target.view.setBigInt64(to + done, source.view.getBigInt64(from + done))
  }
  for (; done < lengthBytes; done += 1) target.bytes[to + done] = source.bytes[from + done] as number
}

export function areaOf(bytes: Uint8Array): ByteArea {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) }
}
