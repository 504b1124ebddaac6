/** What fails around the API, such as opening its parts, becomes an answer like any other error. */
import type { MiddlewareObj } from '@middy/core'
import { correlationIdOf, errorResponse } from '#lib/api/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import { SYSTEM } from '../port/aws.ts'
import { encodeHttpResult } from './result.ts'

/** A setting that is wrong is nothing that a caller could mend. */
function forCaller(error: unknown): BackstopError {
  if (isBackstopError(error) && (error.kind === 'dependency' || error.code === 'REQUEST_INVALID')) return error
  return new BackstopError('NOT_READY', 'the gateway cannot answer at the moment', { cause: error })
}

const NO_HEADERS = { headerValues: () => [] }

export function answerErrors(): MiddlewareObj {
  return {
    onError: (request) => {
      const response = errorResponse(forCaller(request.error), correlationIdOf(NO_HEADERS, SYSTEM.random))
      request.response = encodeHttpResult(response)
    },
  }
}
