/** Keep the number of values that a label takes bounded. */

export const OTHER_LABEL = 'other'
const LONGEST_LABEL = 64

/**
 * A filter for one label: the first `maxValues` distinct values pass, later ones become `other`.
 *
 * Invariants: never more than `maxValues` + 1 distinct results; every result is printable and at most 64 characters long
 */
export function createLabelFilter(maxValues: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    const label = value.replace(/[^\x20-\x7e]/g, '_').slice(0, LONGEST_LABEL)
    if (known.has(label)) return label
    if (known.size >= maxValues) return OTHER_LABEL
    known.add(label)
    return label
  }
}
