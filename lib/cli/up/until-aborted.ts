/** Waits for the signal that ends the process. */

export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  // A pending promise alone does not keep Node alive; the server does, and where there is none yet this timer.
  const keepAlive = setInterval(() => {}, 60_000)
  try {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  } finally {
    clearInterval(keepAlive)
  }
}
