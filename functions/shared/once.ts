/** What an instance opens once and keeps: lazily, and again after a failure. */

/**
 * A function that opens at its first call and gives the same to every later one.
 *
 * Invariants: callers at once share one opening; one that failed is not kept, the next call opens anew
 */
export function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined
  return () => {
    if (opened !== undefined) return opened
    const opening = open()
    opened = opening
    opening.catch(() => {
      if (opened === opening) opened = undefined
    })
    return opening
  }
}
