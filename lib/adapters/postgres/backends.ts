/** Remembers which backends of a server are ours, and for a while which were, over all pools of this process. */

const REMEMBERED_MS = 60_000

interface Connected {
  readonly processID?: number
  once(event: 'end', listener: () => void): unknown
}

export class Backends {
  /** When each ended; infinity while it is connected. */
  readonly #endedAtMs = new Map<number, number>()

  /** Call as soon as the client is connected: from then on the server shows its backend. */
  add(client: unknown): void {
    const connected = client as Connected
    const { processID } = connected
    if (processID === undefined) return
    this.#endedAtMs.set(processID, Number.POSITIVE_INFINITY)
    connected.once('end', () => this.#endedAtMs.set(processID, Date.now()))
  }

  list(): readonly number[] {
    const nowMs = Date.now()
    for (const [processId, endedAtMs] of this.#endedAtMs) {
      if (nowMs - endedAtMs > REMEMBERED_MS) this.#endedAtMs.delete(processId)
    }
    return [...this.#endedAtMs.keys()]
  }
}

/** Numbers of backends mean something on one server alone. */
const byServer = new Map<string, Backends>()

export function backendsOf(server: string): Backends {
  const known = byServer.get(server) ?? new Backends()
  byServer.set(server, known)
  return known
}
