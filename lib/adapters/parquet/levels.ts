/** Definition levels of flat optional columns: one bit a row, run-length and bit-packed as Parquet's hybrid encoding. */

/**
 * Encode NULL flags as definition levels of bit width 1.
 *
 * Shapes: `nulls` one byte a row, 1 for NULL; absent: every row has a value → bytes of the level section
 * Source: Parquet format, "Run Length Encoding / Bit-Packing Hybrid"
 */
export function encodeLevels(rowCount: number, nulls: Uint8Array | undefined): Uint8Array {
  if (nulls === undefined) return Uint8Array.from([...varint(rowCount * 2), 1])
  const groupCount = Math.ceil(rowCount / 8)
  const header = varint(groupCount * 2 + 1)
  const levels = new Uint8Array(header.length + groupCount)
  levels.set(header)
  let position = header.length
  for (let row = 0; row < rowCount; row += 8) {
    const end = Math.min(row + 8, rowCount)
    let bits = 0
    for (let index = row; index < end; index += 1) if (nulls[index] === 0) bits |= 1 << (index - row)
    levels[position] = bits
    position += 1
  }
  return levels
}

/** Pack boolean bytes into bits, least significant first. */
export function packBits(values: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(values.length / 8))
  for (let index = 0; index < values.length; index += 1) {
    if (values[index] === 1) packed[index >> 3] = (packed[index >> 3] ?? 0) | (1 << (index & 7))
  }
  return packed
}

export function unpackBits(packed: Uint8Array, count: number): Uint8Array {
  const values = new Uint8Array(count)
  for (let index = 0; index < count; index += 1) values[index] = ((packed[index >> 3] ?? 0) >> (index & 7)) & 1
  return values
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return bytes
}
