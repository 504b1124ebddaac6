/** What every function is wrapped in. */
import middy from '@middy/core'
import { flushFigures } from './flush-figures.ts'
import { logInvocation } from './log-invocation.ts'
import { trace } from './trace.ts'

/** Each function watches its own time: an early end by the chain would leave work running. */
export function functionChain(name: string) {
  return middy({ timeoutEarlyInMillis: 0 }).use(logInvocation(name)).use(flushFigures()).use(trace(name))
}
