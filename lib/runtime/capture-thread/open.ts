/** Has the copies of large tables made by a thread of its own, so that statements do not wait behind them. */
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { giveBackSessionName, takeSessionName } from '#lib/adapters/native/index.ts'
import { BackstopError, displayRelation, SECOND_MS } from '#lib/kernel/index.ts'
import type { Database, RecoveryPoint } from '#lib/ports/index.ts'
import type { CaptureOrder, CopyElsewhere, StopOptions } from '#lib/recovery/index.ts'
import { decodeFailure } from './failure.ts'
import { type CapturePlaces, type CaptureTask, STOP, type ThreadMessage } from './model.ts'

/**
 * Three times the semi-space: a thread of 12 has what a process started with `--max-semi-space-size=4` has. Buffers of a capture are
 * freed with the young objects that hold them.
 */
const LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 12 }
/** Longer than a capture that is stopped waits for its own cleaning up. */
const END_WITHIN_MS = 10 * SECOND_MS

export interface CaptureThreadOptions {
  readonly places: CapturePlaces
  /** Larger tables are captured by a thread; a smaller one takes less time than a thread to start. */
  readonly fromBytes: number
  /** For ending the sessions of a thread that could not end them itself. */
  readonly database: Database
  /** Told of helpers that gave a range back. */
  noteFailure(error: unknown): void
  readonly limits?: ResourceLimits
}

/**
 * One thread for each order, which ends with it and gives its memory back.
 *
 * Effects: what the copies of the order have, in the same storage and the same metadata
 * Throws:  what the copies throw, with its code; `CAPTURE_LOST` for a thread that ended without an answer: it may leave parts
 *          without a manifest, and its sessions are ended at the server
 */
export function openCaptureThread(options: CaptureThreadOptions): CopyElsewhere {
  return (order, stop) => {
    if ((order.sizeBytes ?? 0) <= options.fromBytes) return undefined
    return runThread(options, order, stop)
  }
}

async function runThread(
  options: CaptureThreadOptions,
  order: CaptureOrder,
  { signal }: StopOptions,
): Promise<readonly RecoveryPoint[]> {
  if (signal?.aborted) throw new BackstopError('RUN_STOPPED', 'the run was stopped')
  const sessionName = takeSessionName()
  const task: CaptureTask = { places: options.places, order, sessionName }
  const thread = new Worker(new URL('./thread.ts', import.meta.url), {
    name: 'capture',
    workerData: task,
    execArgv: [],
    resourceLimits: options.limits ?? LIMITS,
  })
  const stop = () => {
    thread.postMessage(STOP)
    endWithin(thread)
  }
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const answer = await answerOf(thread, options)
    if (answer.kind === 'done') return answer.points
    if (answer.kind === 'failed') throw decodeFailure(answer.failure)
    await endSessions(options.database, sessionName)
    const subject = `the thread that captured ${displayRelation(order.relation)}`
    if (signal?.aborted) throw new BackstopError('RUN_STOPPED', `${subject} was stopped, and did not end by itself`)
    throw new BackstopError('CAPTURE_LOST', `${subject} ended before it was done: ${answer.why}`)
  } finally {
    signal?.removeEventListener('abort', stop)
    giveBackSessionName(sessionName)
  }
}

type Answer = Extract<ThreadMessage, { kind: 'done' | 'failed' }> | { readonly kind: 'lost'; readonly why: string }

/** Resolves when the thread has ended: by then its connections and its memory are given back. */
function answerOf(thread: Worker, { noteFailure }: Pick<CaptureThreadOptions, 'noteFailure'>): Promise<Answer> {
  return new Promise((resolve) => {
    let answer: Answer | undefined
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'given-back') return noteFailure(decodeFailure(message.failure))
      answer = message
      endWithin(thread)
    })
    thread.on('error', (error: NodeJS.ErrnoException) => {
      answer ??= { kind: 'lost', why: whyOf(error) }
    })
    thread.on('exit', () => resolve(answer ?? { kind: 'lost', why: 'it was ended' }))
  })
}

function endWithin(thread: Worker): void {
  const timer = setTimeout(() => void thread.terminate(), END_WITHIN_MS)
  thread.once('exit', () => clearTimeout(timer))
}

function whyOf({ code, name }: NodeJS.ErrnoException): string {
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return 'it ran out of memory'
  return `it threw ${code ?? name}`
}

/** A statement that runs on would hold its locks and its snapshot until it has something to send. */
async function endSessions(database: Database, sessionName: string): Promise<void> {
  const sql = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1'
  await database.withSession((session) => session.query(sql, [sessionName])).catch(() => undefined)
}
