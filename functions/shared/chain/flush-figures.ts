/** Writes the figures of an invocation before it ends: a frozen instance writes nothing. */
import type { MiddlewareObj } from '@middy/core'
import { figures } from '../metrics.ts'

export function flushFigures(): MiddlewareObj {
  const flush = () => figures().flush()
  return { after: flush, onError: flush }
}
