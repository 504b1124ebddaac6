/** One log line for each invocation: what it was, what came of it, and how long it took. */
import type { MiddlewareObj } from '@middy/core'
import { isBackstopError, type JsonObject } from '#lib/kernel/index.ts'
import { correlateLog, log } from '../log.ts'

interface Noted {
  readonly startedMs: number
  facts: JsonObject
}

const notedOf = new WeakMap<object, Noted>()

/** Add to what the line of the invocation with this context will say. */
export function noteFacts(context: object, facts: JsonObject): void {
  const noted = notedOf.get(context)
  if (noted !== undefined) noted.facts = { ...noted.facts, ...facts }
}

/** What the line will say, as far as it is known. */
export function factsOf(context: object): JsonObject {
  return notedOf.get(context)?.facts ?? {}
}

function describe(error: unknown): JsonObject {
  if (isBackstopError(error) && error.code !== 'BUG') {
    return { code: error.code, reason: error.message, hint: error.hint }
  }
  return { code: 'BUG', stack: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }
}

let isCold = true

export function logInvocation(name: string): MiddlewareObj {
  const write = (context: object, level: 'info' | 'error', more: JsonObject) => {
    const { startedMs, facts } = notedOf.get(context) ?? { startedMs: performance.now(), facts: {} }
    const durationMs = Math.round((performance.now() - startedMs) * 10) / 10
    log(level, 'invocation', { function: name, durationMs, isCold, ...facts, ...more })
    isCold = false
  }
  return {
    before: ({ context }) => {
      notedOf.set(context, { startedMs: performance.now(), facts: {} })
      correlateLog(context.awsRequestId ?? 'unknown')
    },
    after: ({ context }) => write(context, 'info', {}),
    onError: ({ context, error }) => write(context, 'error', describe(error)),
  }
}
