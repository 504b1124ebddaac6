/**
 * How large the next part of an upload is, so that the fixed number of parts is enough for the largest object.
 *
 * A part is 8 MiB and 1/1,600 of what went before. 1 GiB takes parts of up to 9 MiB, 100 GiB up to 72 MiB, 1 TiB up to 663 MiB;
 * 10,000 of them hold 6 TiB.
 */
export const FIRST_PART_BYTES = 8_388_608
export const MAX_PARTS = 10_000

const GROWTH = 1_600

export function nextPartBytes(sentBytes: number): number {
  return FIRST_PART_BYTES + Math.ceil(sentBytes / GROWTH)
}
