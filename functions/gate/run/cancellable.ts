/** A database whose statements in hand can all be ended: for a function whose time is nearly over. */
import type { Database, DatabaseSession } from '#lib/ports/index.ts'

export interface Cancellable {
  readonly database: Database
  /** Ask the server to end whatever runs on sessions that are lent now. Best effort. */
  cancelAll(): Promise<void>
}

export function cancellable(database: Database): Cancellable {
  const lent = new Set<number>()
  const noted =
    <T>(use: (session: DatabaseSession) => Promise<T>) =>
    async (session: DatabaseSession): Promise<T> => {
      lent.add(session.processId)
      try {
        return await use(session)
      } finally {
        lent.delete(session.processId)
      }
    }
  return {
    database: {
      label: database.label,
      withSession: (use) => database.withSession(noted(use)),
      withDedicatedSession: (use) => database.withDedicatedSession(noted(use)),
      cancel: (processId) => database.cancel(processId),
      close: () => database.close(),
    },
    async cancelAll() {
      await Promise.all([...lent].map((processId) => database.cancel(processId)))
    },
  }
}
