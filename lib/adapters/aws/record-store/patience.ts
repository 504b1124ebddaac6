/** Repeats a call that other writes were in the way of, within bounds; and knows whether an attempt may have had its effect. */
import { classifyAwsError, isOutcomeUnknown } from '../failure.ts'
import { cancellationReasons } from './cancellation.ts'

const ROUNDS = 12
const LONGEST_PAUSE_MS = 400

/** Whether an attempt of the call ended without a readable answer. */
export interface Trace {
  isOutcomeUnknown: boolean
}

/** Any command of the SDK. */
interface Command {
  readonly middlewareStack: {
    addRelativeTo(middleware: never, options: { relation: 'after'; toMiddleware: string; name: string }): void
  }
}

/**
 * Run `round` until nothing is in its way.
 *
 * Retries: throttles, 5xx and lost connections are repeated inside each round by the SDK. A round is repeated when a
 *          transaction of somebody else held one of the items, or when one was throttled inside a transaction: then
 *          nothing had happened
 */
export async function untilFree<T>(round: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await round()
    } catch (error) {
      if (count === ROUNDS || !isInTheWay(error)) throw error
      await pause(Math.random() * Math.min(LONGEST_PAUSE_MS, 10 * 2 ** count))
    }
  }
}

function isInTheWay(error: unknown): boolean {
  const reasons = cancellationReasons(error)
  if (reasons === undefined) return classifyAwsError(error).kind === 'busy'
  return reasons.every((reason) => reason !== 'condition' && reason !== 'other') && reasons.includes('busy')
}

/** Mark `trace` when an attempt loses its answer: the SDK repeats inside `send` and shows only the last failure. */
export function traced<C extends Command>(command: C, trace: Trace): C {
  const watch = (next: (args: unknown) => Promise<unknown>) => async (args: unknown) => {
    try {
      return await next(args)
    } catch (error) {
      if (isOutcomeUnknown(error)) trace.isOutcomeUnknown = true
      throw error
    }
  }
  const place = { relation: 'after', toMiddleware: 'retryMiddleware', name: 'traceMiddleware' } as const
  command.middlewareStack.addRelativeTo(watch as never, place)
  return command
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
