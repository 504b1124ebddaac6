/** PostgreSQL's binary numeric of a fixed scale to an unscaled 64-bit integer and back. */
import { NUMERIC_HEAD_BYTES, NUMERIC_NEGATIVE } from './numeric-text.ts'

const BASE = 10_000
const BASE_BIG = 10_000n
/** Up to here every step stays below 2^53. */
const EXACT_DIGITS = 15
/** Longest field that `writeDecimal` makes: head, and five base-10,000 digits before and five after the point. */
export const MAX_DECIMAL_FIELD_BYTES = NUMERIC_HEAD_BYTES + 20

const POWERS = Array.from({ length: 20 }, (_, exponent) => 10 ** exponent)
const power = (exponent: number): number => POWERS[exponent] ?? 10 ** exponent

/**
 * The unscaled integer, or undefined when the value has no such form: NaN, infinity, another scale, too many digits.
 */
export function readDecimal(
  view: DataView,
  offset: number,
  precision: number,
  scale: number,
): number | bigint | undefined {
  const digitCount = view.getInt16(offset)
  const weight = view.getInt16(offset + 2)
  const sign = view.getUint16(offset + 4)
  if ((sign !== 0 && sign !== NUMERIC_NEGATIVE) || view.getUint16(offset + 6) !== scale) return undefined
  if (digitCount === 0) return 0
  const shift = scale - 4 * (digitCount - 1 - weight)
  if (shift <= -4 || (weight + 1) * 4 + scale > EXACT_DIGITS + 4) {
    return readLargeDecimal(view, offset, precision, scale)
  }
  let unscaled = 0
  const last = offset + NUMERIC_HEAD_BYTES + (digitCount - 1) * 2
  for (let position = offset + NUMERIC_HEAD_BYTES; position < last; position += 2) {
    unscaled = unscaled * BASE + view.getInt16(position)
  }
  const digit = view.getInt16(last)
  if (shift >= 0) {
    unscaled = (unscaled * BASE + digit) * power(shift)
  } else {
    if (digit % power(-shift) !== 0) return undefined
    unscaled = unscaled * power(4 + shift) + digit / power(-shift)
  }
  if (unscaled > Number.MAX_SAFE_INTEGER) return readLargeDecimal(view, offset, precision, scale)
  return sign === 0 ? unscaled : -unscaled
}

function readLargeDecimal(view: DataView, offset: number, precision: number, scale: number): bigint | undefined {
  const digitCount = view.getInt16(offset)
  const shift = scale - 4 * (digitCount - 1 - view.getInt16(offset + 2))
  let unscaled = 0n
  for (let index = 0; index < digitCount; index += 1) {
    unscaled = unscaled * BASE_BIG + BigInt(view.getInt16(offset + NUMERIC_HEAD_BYTES + index * 2))
  }
  if (shift >= 0) unscaled *= 10n ** BigInt(shift)
  else if (unscaled % 10n ** BigInt(-shift) !== 0n) return undefined
  else unscaled /= 10n ** BigInt(-shift)
  if (unscaled >= 10n ** BigInt(precision)) return undefined
  return view.getUint16(offset + 4) === 0 ? unscaled : -unscaled
}

const scratch = new Int16Array(16)

/** Write the binary numeric of an unscaled integer at `offset`; returns its length in bytes. */
export function writeDecimal(view: DataView, offset: number, unscaled: number | bigint, scale: number): number {
  const fractionGroups = Math.ceil(scale / 4)
  const lastDigits = scale % 4 === 0 ? 4 : scale % 4
  const groupCount = splitUnscaled(unscaled, lastDigits)
  let trailing = 0
  while (trailing < groupCount && scratch[trailing] === 0) trailing += 1
  const isZero = trailing === groupCount
  const digitCount = isZero ? 0 : groupCount - trailing
  view.setInt16(offset, digitCount)
  view.setInt16(offset + 2, isZero ? 0 : groupCount - fractionGroups - 1)
  view.setUint16(offset + 4, unscaled < 0 ? NUMERIC_NEGATIVE : 0)
  view.setUint16(offset + 6, scale)
  for (let index = 0; index < digitCount; index += 1) {
    view.setInt16(offset + NUMERIC_HEAD_BYTES + index * 2, scratch[groupCount - 1 - index] ?? 0)
  }
  return NUMERIC_HEAD_BYTES + digitCount * 2
}

/** Fill `scratch` with base-10,000 digits, least first, the least made of `lastDigits` decimal digits; returns their count. */
function splitUnscaled(unscaled: number | bigint, lastDigits: number): number {
  if (typeof unscaled === 'number') return splitNumber(Math.abs(unscaled), 0, lastDigits)
  let count = 0
  let rest = unscaled < 0n ? -unscaled : unscaled
  for (; rest > Number.MAX_SAFE_INTEGER; count += 1) {
    const digits = count === 0 ? lastDigits : 4
    const divisor = BigInt(power(digits))
    scratch[count] = Number(rest % divisor) * power(4 - digits)
    rest /= divisor
  }
  return splitNumber(Number(rest), count, lastDigits)
}

/** The same from digit `count` on. Below 2^53 a rounded quotient never reaches the next integer, so that `floor` is exact. */
function splitNumber(value: number, count: number, lastDigits: number): number {
  let rest = value
  let next = count
  if (next === 0 && rest > 0) {
    const divisor = power(lastDigits)
    const quotient = Math.floor(rest / divisor)
    scratch[0] = (rest - quotient * divisor) * power(4 - lastDigits)
    rest = quotient
    next = 1
  }
  for (; rest > 0; next += 1) {
    const quotient = Math.floor(rest / BASE)
    scratch[next] = rest - quotient * BASE
    rest = quotient
  }
  return next
}
