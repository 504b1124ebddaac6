/** Long work on a connection of its own that ends when a signal says so: its statement is cancelled on the server. */
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'

/** One cancel may arrive between two statements and be lost. */
const CANCEL_EVERY_MS = 500
/** For the server to answer and for the store to take back what was written. */
const DEFAULT_GRACE_MS = 5_000

export interface StopOptions {
  /** Ends the run. A signal of `AbortSignal.timeout` counts as its time being used up. */
  readonly signal?: AbortSignal
  /** How long to wait for the cleaning up after that; 5,000 when absent. */
  readonly graceMs?: number
}

/** Like `withDedicatedSession`; every call on the session fails once the signal has fired. */
export async function withStoppableSession<T>(
  database: Database,
  signal: AbortSignal | undefined,
  use: (session: DatabaseSession) => Promise<T>,
): Promise<T> {
  if (signal === undefined) return await database.withDedicatedSession(use)
  assertGoing(signal)
  return await database.withDedicatedSession(async (session) => {
    let repeated: NodeJS.Timeout | undefined
    const cancel = () => void database.cancel(session.processId)
    const onAbort = () => {
      cancel()
      repeated = setInterval(cancel, CANCEL_EVERY_MS)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await use(stoppable(session, signal))
    } finally {
      signal.removeEventListener('abort', onAbort)
      clearInterval(repeated)
    }
  })
}

/**
 * The outcome of `work`, but no later than the grace after the signal.
 *
 * Throws: what `work` throws; after the signal `RUN_STOPPED`, or `TABLE_TOO_LARGE_FOR_RUN` when it was the time, with
 *         `leftover` in its details when the work had not cleaned up by then
 */
export async function settleInTime<T>(
  work: Promise<T>,
  stop: StopOptions,
  subject: string,
  leftover: string,
): Promise<T> {
  const { signal } = stop
  if (signal === undefined) return await work
  const settled = work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  const outcome = await Promise.race([settled, graceOver(signal, settled, stop.graceMs ?? DEFAULT_GRACE_MS)])
  if (outcome === undefined) throw stoppedError(signal, subject, { leftover })
  if ('value' in outcome) return outcome.value
  throw signal.aborted ? stoppedError(signal, subject, { cause: outcome.error }) : outcome.error
}

/** Resolves when the grace after the signal is over; leaves no timer behind once the work has settled. */
function graceOver(signal: AbortSignal, settled: Promise<unknown>, graceMs: number): Promise<undefined> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined
    const start = () => {
      timer = setTimeout(() => resolve(undefined), graceMs)
    }
    if (signal.aborted) start()
    else signal.addEventListener('abort', start, { once: true })
    void settled.then(() => {
      signal.removeEventListener('abort', start)
      clearTimeout(timer)
    })
  })
}

function stoppedError(
  signal: AbortSignal,
  subject: string,
  how: { leftover?: string; cause?: unknown },
): BackstopError {
  const isTimeUp = (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError'
  const kept = how.leftover === undefined ? 'nothing of it was kept' : `${how.leftover} may hold parts of it`
  const options = {
    ...(how.cause === undefined ? {} : { cause: how.cause }),
    ...(how.leftover === undefined ? {} : { details: { leftover: how.leftover } }),
  }
  if (!isTimeUp) return new BackstopError('RUN_STOPPED', `${subject} was stopped; ${kept}`, options)
  return new BackstopError(
    'TABLE_TOO_LARGE_FOR_RUN',
    `the time of the run was too short for ${subject}; ${kept}`,
    options,
  )
}

function assertGoing(signal: AbortSignal): void {
  if (signal.aborted) throw new BackstopError('RUN_STOPPED', 'the run was stopped')
}

function stoppable(session: DatabaseSession, signal: AbortSignal): DatabaseSession {
  const checked =
    <Arguments extends unknown[], T>(call: (...given: Arguments) => Promise<T>) =>
    async (...given: Arguments): Promise<T> => {
      assertGoing(signal)
      return await call(...given)
    }
  return {
    processId: session.processId,
    query: (sql, parameters, preparedAs) => checked(() => session.query<never>(sql, parameters, preparedAs))(),
    execute: checked((sql: string) => session.execute(sql)),
    runCapped: checked((sql, options) => session.runCapped(sql, options)),
    leaveClean: () => session.leaveClean(),
    copyOut: (sql) => whileGoing(session.copyOut(sql), signal),
    copyIn: checked((sql, chunks) => session.copyIn(sql, whileGoing(chunks, signal))),
  }
}

async function* whileGoing(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    assertGoing(signal)
    yield chunk
  }
}
