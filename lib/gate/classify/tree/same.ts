/** Whether two parts of a tree say the same, wherever they stand in the text. */

const POSITIONS = new Set(['location', 'rexpr_list_start', 'rexpr_list_end', 'list_start', 'list_end', 'name_location'])

/** Structural equality without positions. The depth is bounded by the tree's. */
export function isSameTree(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, at) => isSameTree(item, right[at]))
  }
  const keys = Object.keys(left).filter((key) => !POSITIONS.has(key))
  const others = Object.keys(right).filter((key) => !POSITIONS.has(key))
  const from = left as Record<string, unknown>
  const to = right as Record<string, unknown>
  return keys.length === others.length && keys.every((key) => key in to && isSameTree(from[key], to[key]))
}
