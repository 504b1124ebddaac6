/** PostgreSQL's binary numeric to decimal text and back: any precision, scale kept, NaN and infinities by name. */

export const NUMERIC_NEGATIVE = 0x4000
const SPECIAL_NAMES = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
])
const SPECIAL_SIGNS = new Map([...SPECIAL_NAMES].map(([sign, name]) => [name, sign]))
const GROUP_DIGITS = 4
export const NUMERIC_HEAD_BYTES = 8

/**
 * Decimal text of a binary numeric.
 *
 * Shapes: 16-bit count of base-10,000 digits, weight of the first, sign, display scale, then the digits → ASCII
 * Source: `numeric_send` in PostgreSQL
 */
export function decodeNumeric(view: DataView, offset: number): string {
  const digitCount = view.getInt16(offset)
  const weight = view.getInt16(offset + 2)
  const sign = view.getUint16(offset + 4)
  const scale = view.getUint16(offset + 6)
  const special = SPECIAL_NAMES.get(sign)
  if (special !== undefined) return special
  const group = (index: number) =>
    index >= 0 && index < digitCount ? view.getInt16(offset + NUMERIC_HEAD_BYTES + index * 2) : 0
  let text = sign === NUMERIC_NEGATIVE ? '-' : ''
  text += weight < 0 ? '0' : String(group(0))
  for (let index = 1; index <= weight; index += 1) text += String(group(index)).padStart(GROUP_DIGITS, '0')
  if (scale === 0) return text
  let fraction = ''
  for (let index = weight + 1; fraction.length < scale; index += 1) {
    fraction += String(group(index)).padStart(GROUP_DIGITS, '0')
  }
  return `${text}.${fraction.slice(0, scale)}`
}

/** Binary numeric of decimal text as `decodeNumeric` writes it; digits are normalised as the server does. */
export function encodeNumeric(text: string): Uint8Array {
  const special = SPECIAL_SIGNS.get(text)
  if (special !== undefined) return numericBytes([], 0, special, 0)
  const isNegative = text.startsWith('-')
  const [whole = '', fraction = ''] = (isNegative ? text.slice(1) : text).split('.')
  const groups = [...splitGroups(whole.padStart(Math.ceil(whole.length / GROUP_DIGITS) * GROUP_DIGITS, '0'))]
  let weight = groups.length - 1
  groups.push(...splitGroups(fraction.padEnd(Math.ceil(fraction.length / GROUP_DIGITS) * GROUP_DIGITS, '0')))
  let first = 0
  while (first < groups.length && groups[first] === 0) first += 1
  let end = groups.length
  while (end > first && groups[end - 1] === 0) end -= 1
  weight = first === end ? 0 : weight - first
  return numericBytes(groups.slice(first, end), weight, isNegative ? NUMERIC_NEGATIVE : 0, fraction.length)
}

function splitGroups(digits: string): number[] {
  const groups: number[] = []
  for (let index = 0; index < digits.length; index += GROUP_DIGITS) {
    groups.push(Number(digits.slice(index, index + GROUP_DIGITS)))
  }
  return groups
}

function numericBytes(groups: readonly number[], weight: number, sign: number, scale: number): Uint8Array {
  const bytes = new Uint8Array(NUMERIC_HEAD_BYTES + groups.length * 2)
  const view = new DataView(bytes.buffer)
  view.setInt16(0, groups.length)
  view.setInt16(2, weight)
  view.setUint16(4, sign)
  view.setUint16(6, scale)
  for (const [index, group] of groups.entries()) view.setInt16(NUMERIC_HEAD_BYTES + index * 2, group)
  return bytes
}
