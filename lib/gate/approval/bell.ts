/** Wakes callers of this process that wait for a decision. */

export interface Bell {
  ring(id: string): void
  /** Begin to listen; `heard` resolves at the next ring, after the time, or on abort, whichever is first. */
  listen(id: string): BellListener
}

export interface BellListener {
  heard(withinMs: number, signal: AbortSignal): Promise<void>
  stop(): void
}

export function createBell(): Bell {
  const listeners = new Map<string, Set<() => void>>()

  function listen(id: string): BellListener {
    const { promise: rung, resolve } = Promise.withResolvers<void>()
    const group = listeners.get(id) ?? new Set()
    listeners.set(id, group.add(resolve))
    return {
      heard: (withinMs, signal) => firstOf(rung, withinMs, signal),
      stop() {
        group.delete(resolve)
        if (group.size === 0 && listeners.get(id) === group) listeners.delete(id)
      },
    }
  }

  return {
    listen,
    ring(id) {
      for (const wake of listeners.get(id) ?? []) wake()
    },
  }
}

async function firstOf(rung: Promise<void>, withinMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const wake = () => resolve()
  const timer = setTimeout(wake, withinMs)
  signal.addEventListener('abort', wake, { once: true })
  try {
    await Promise.race([rung, over])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', wake)
  }
}
