/** Ends work in the database when somebody presses Ctrl-C: the statement that runs is cancelled, and the transaction goes. */
import type { Database, DatabaseSession } from '#lib/ports/index.ts'

/** Throws the signal's reason as soon as it is given, whatever the server says to being cancelled. */
export async function interruptibly<T>(
  database: Database,
  session: DatabaseSession,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const cancel = () => void database.cancel(session.processId).catch(() => undefined)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}
