/**
 * Names for the sessions of programs and threads that this process runs, so that it knows them again: they open connections
 * of their own, and do not say which. A name is random, and good for as long as its program runs and a moment longer.
 */
import { randomBytes } from 'node:crypto'

const NAME_BYTES = 12
/** The server may show a session a moment after its program has ended. */
const LINGERS_MS = 5_000

/** When each ended; infinity while it runs. */
const endedAtMs = new Map<string, number>()

export function takeSessionName(): string {
  const name = `backstop-${randomBytes(NAME_BYTES).toString('hex')}`
  endedAtMs.set(name, Number.POSITIVE_INFINITY)
  return name
}

export function giveBackSessionName(name: string): void {
  endedAtMs.set(name, Date.now())
}

export function listSessionNames(): readonly string[] {
  const nowMs = Date.now()
  for (const [name, atMs] of endedAtMs) if (nowMs - atMs > LINGERS_MS) endedAtMs.delete(name)
  return [...endedAtMs.keys()]
}
