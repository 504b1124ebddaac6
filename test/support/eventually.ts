/** Wait for a condition, with a deadline instead of a fixed sleep. */
import { setTimeout as delay } from 'node:timers/promises'

/** A condition that holds costs nothing by a late deadline, and a busy machine is not a fault. */
const PATIENCE_MS = 30_000

/** Resolves with the first value that is not undefined and not false; throws after the deadline. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number; readonly what?: string } = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + (options.timeoutMs ?? PATIENCE_MS)
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>
    if (performance.now() > deadline) throw new Error(`not within the deadline: ${options.what ?? 'the condition'}`)
    await delay(options.everyMs ?? 5)
  }
}
