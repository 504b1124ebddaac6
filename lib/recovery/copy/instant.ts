/**
 * PostgreSQL's day and microsecond counts (since 2000-01-01) to those of Parquet (since 1970-01-01), both 64-bit.
 *
 * The shift alone would wrap at the far end, and would move infinity. This is a permutation of all 2^64 values that keeps
 * ±infinity at the ends of the range, where other readers expect it, and is a plain shift for every year below 294,247.
 */
const SHIFT_US = 946_684_800_000_000n
const INFINITY = 2n ** 63n - 1n
const MINUS_INFINITY = -(2n ** 63n)

export const EPOCH_SHIFT_DAYS = 10_957
export const DATE_INFINITY = 0x7fffffff
export const DATE_MINUS_INFINITY = -0x80000000

/** High and low halves of the shift, for arithmetic without bigint. */
export const SHIFT_HIGH = Number(SHIFT_US >> 32n)
export const SHIFT_LOW = Number(SHIFT_US & 0xffffffffn)
/** Values whose high half is strictly within ±this are shifted plainly in both directions. */
export const PLAIN_SHIFT_HIGH = 2_147_000_000

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)

export function unixFromPostgres(value: bigint): bigint {
  if (value === INFINITY || value === MINUS_INFINITY) return value
  const shifted = wrap(value + SHIFT_US)
  return shifted === INFINITY || shifted === MINUS_INFINITY ? wrap(shifted + SHIFT_US) : shifted
}

export function postgresFromUnix(value: bigint): bigint {
  if (value === INFINITY || value === MINUS_INFINITY) return value
  const shifted = wrap(value - SHIFT_US)
  return shifted === INFINITY || shifted === MINUS_INFINITY ? wrap(shifted - SHIFT_US) : shifted
}
