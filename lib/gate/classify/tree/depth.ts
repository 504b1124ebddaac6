/** How deep a tree is, without recursion. */

/** Nodes from the root to the deepest leaf; stops one past the limit. */
export function depthOf(root: unknown, limit: number): number {
  const pending: unknown[] = [root]
  const depths: number[] = [0]
  let deepest = 0
  while (pending.length > 0) {
    const value = pending.pop()
    const depth = depths.pop() as number
    if (typeof value !== 'object' || value === null) continue
    if (depth > deepest) deepest = depth
    if (deepest > limit) return deepest
    const isList = Array.isArray(value)
    for (const child of isList ? value : Object.values(value)) {
      pending.push(child)
      depths.push(isList ? depth : depth + WRAPPED)
    }
  }
  return deepest
}

/** A node is an object in an object that names its kind: half a level each. */
const WRAPPED = 0.5
