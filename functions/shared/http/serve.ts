/** Serve the routes of one function: an API Gateway event in, its answer out. */
import type { Context } from 'aws-lambda'
import {
  type Api,
  type ApiServices,
  type ApiSettings,
  correlationIdOf,
  createApi,
  type Identification,
  type RouteFunction,
} from '#lib/api/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'
import { functionChain } from '../chain/function-chain.ts'
import { noteFacts } from '../chain/log-invocation.ts'
import { correlateLog } from '../log.ts'
import { once } from '../once.ts'
import { SYSTEM } from '../port/aws.ts'
import { answerErrors } from './answer-errors.ts'
import { decodeHttpEvent } from './event.ts'
import { encodeHttpResult, type HttpResult } from './result.ts'
import { decodeVerdict } from './verdict.ts'

/** What a function serves its routes with. */
export interface HttpParts {
  readonly services: Omit<ApiServices, 'identify'>
  readonly settings: ApiSettings
  /** Before each request: bring up to date what must not be old. */
  prepare?(): Promise<void>
  /** After each request, before it is answered: finish what its answer did not wait for. */
  settle?(): Promise<void>
}

interface Serving {
  readonly api: Api
  readonly parts: HttpParts
  readonly verdicts: WeakMap<HttpRequest, Identification>
}

/** API Gateway waits 29 seconds or so; a waiting caller is answered before that, with time left to answer in. */
const LONGEST_WAIT_MS = 25_000
const RESERVE_MS = 3_000

function openServing(servedBy: RouteFunction, parts: HttpParts): Serving {
  const verdicts = new WeakMap<HttpRequest, Identification>()
  const identify = (request: HttpRequest): Identification => verdicts.get(request) ?? { verdict: 'unchecked' }
  return { parts, verdicts, api: createApi({ ...parts.services, identify }, { ...parts.settings, servedBy }) }
}

function signalFor(context: Context): AbortSignal {
  return AbortSignal.timeout(
    Math.max(0, Math.min(LONGEST_WAIT_MS, Math.floor(context.getRemainingTimeInMillis()) - RESERVE_MS)),
  )
}

/** The same id in the answer, the ledger and every line of the log, also where the caller gave none. */
function correlated(request: HttpRequest): HttpRequest {
  const correlationId = correlationIdOf(request, SYSTEM.random)
  correlateLog(correlationId)
  const headerValues = (name: string) => (name === 'x-correlation-id' ? [correlationId] : request.headerValues(name))
  return { ...request, headerValues }
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? target
}

async function serve(serving: Serving, event: unknown, context: Context): Promise<HttpResult> {
  const received = decodeHttpEvent(event, signalFor(context))
  const request = correlated(received.request)
  noteFacts(context, { correlationId: request.headerValues('x-correlation-id')[0] ?? '' })
  const identification = decodeVerdict(received.authorizerContext)
  serving.verdicts.set(request, identification)
  await serving.parts.prepare?.()
  const response = await serving.api.handle(request)
  await serving.parts.settle?.()
  const principal = identification.verdict === 'principal' ? identification.principal.name : identification.verdict
  noteFacts(context, { method: request.method, path: pathOf(request.target), status: response.status, principal })
  return encodeHttpResult(response)
}

/** The handler of a function that answers the routes served by it; its parts are opened at the first request. */
export function httpFunction(servedBy: RouteFunction, open: () => Promise<HttpParts>) {
  const serving = once(async () => openServing(servedBy, await open()))
  return functionChain(servedBy)
    .use(answerErrors())
    .handler(async (event: unknown, context: Context) => serve(await serving(), event, context))
}
