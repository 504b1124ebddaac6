/** Does the same for many, some at a time. */

/** Each is a few requests to stores that may be far away. */
const AT_ONCE = 16

/** Outcomes in the order of the items; the first failure ends it after the batch that it is in. */
export async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const outcomes: R[] = []
  for (let from = 0; from < items.length; from += AT_ONCE) {
    outcomes.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(work))))
  }
  return outcomes
}
