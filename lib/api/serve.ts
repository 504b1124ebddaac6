/** Turn each HTTP request into one call of a handler: who, whether, what, then the answer. */
import type { Principal } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpHandler, HttpRequest, HttpResponse } from '#lib/ports/index.ts'
import type { Answer } from './answer/index.ts'
import { asBackstopError, encodeError, respond, scopeError } from './answer/index.ts'
import type { CallContext } from './context.ts'
import { HANDLERS } from './handler/index.ts'
import type { Limits, Permit } from './limit/index.ts'
import { createLimits } from './limit/index.ts'
import type { ApiServices, ApiSettings } from './model.ts'
import {
  assertHost,
  assertJsonType,
  authenticate,
  correlationIdOf,
  pathOf,
  queryOf,
  readJson,
  readText,
  validate,
} from './request/index.ts'
import type { Access, Route, RouteName } from './route/index.ts'
import { createMatcher, ROUTES } from './route/index.ts'
import { coversScope } from './token/index.ts'

export interface Api {
  readonly handle: HttpHandler
  /** End every wait, and answer new requests with 503 from now on. */
  drain(): void
}

interface Serving {
  readonly services: ApiServices
  readonly settings: ApiSettings
  readonly limits: Limits
  readonly anonymousRoutes: ReadonlySet<string>
  readonly allowedHosts: ReadonlySet<string> | undefined
  readonly drainSignal: AbortSignal
  readonly match: ReturnType<typeof createMatcher>
}

interface FoundRoute {
  readonly route: Route
  readonly params: Readonly<Record<string, string>>
}

/** A handler whose input was checked against its own route's schemas. */
type CheckedHandler = (context: CallContext, input: object) => Promise<Answer>

/** Open routes cost nothing that could run out. */
const NO_PERMIT: Permit = {
  spend() {},
  whileWaiting: (wait) => wait(),
  release() {},
}

function findRoute(serving: Serving, request: HttpRequest): FoundRoute {
  const found = serving.match(request.method, pathOf(request.target))
  if (found.kind === 'found') return found
  if (found.kind === 'no-path') throw new BackstopError('ROUTE_MISSING', 'there is nothing at this path')
  const allow = found.allowed.join(', ')
  throw new BackstopError('METHOD_NOT_ALLOWED', `the path takes ${allow}`, { details: { allow } })
}

function authorize(serving: Serving, request: HttpRequest, route: Route): Principal {
  const isOpen = route.access === 'open' || serving.anonymousRoutes.has(route.name)
  const { services, limits } = serving
  const principal = authenticate(request, !isOpen, services, limits)
  if (!isOpen) assertScope(serving, principal, route.access)
  return principal
}

function assertScope(serving: Serving, principal: Principal, access: Access): void {
  if (access === 'open' || access === 'token' || coversScope(principal.scopes, access)) return
  serving.services.metrics.noteRefusedCredential('auth_forbidden')
  throw scopeError(access)
}

async function readBody(request: HttpRequest, { body }: Route): Promise<unknown> {
  if (body.kind === 'none') return undefined
  if (body.kind === 'json') return validate(body.schema, await readJson(request, body.limitBytes))
  if (body.isJsonRequired) assertJsonType(request)
  return readText(request, body.limitBytes)
}

async function call(serving: Serving, request: HttpRequest, { route, params }: FoundRoute, correlationId: string) {
  const principal = authorize(serving, request, route)
  const { services, settings, drainSignal } = serving
  const kind = route.servedBy === 'gate.query' ? 'statement' : 'operation'
  const permit = route.access === 'open' ? NO_PERMIT : serving.limits.enter(principal.name, kind)
  try {
    const query = validate(route.query, queryOf(request.target))
    const input = { params: validate(route.params, params), query, body: await readBody(request, route) }
    const context = { services, settings, principal, permit, correlationId, request, drainSignal }
    return await (HANDLERS[route.name as RouteName] as CheckedHandler)(context, input)
  } finally {
    permit.release()
  }
}

function fail(serving: Serving, thrown: unknown, correlationId: string): Answer {
  const error = asBackstopError(thrown)
  if (error.code === 'BUG') serving.services.reportDefect(thrown, correlationId)
  return encodeError(error, correlationId)
}

async function answer(serving: Serving, request: HttpRequest, correlationId: string): Promise<Answer> {
  let name = 'none'
  let result: Answer
  try {
    if (serving.drainSignal.aborted) throw new BackstopError('SHUTTING_DOWN', 'the gateway is shutting down')
    if (serving.allowedHosts !== undefined) assertHost(request, serving.allowedHosts)
    const found = findRoute(serving, request)
    name = found.route.name
    result = await call(serving, request, found, correlationId)
  } catch (thrown) {
    result = fail(serving, thrown, correlationId)
  }
  serving.services.metrics.noteRequest(name, result.status)
  return result
}

/**
 * Open the API over its services.
 *
 * Invariants: `handle` never rejects; a request is authenticated, authorized and counted before its body is read
 * Refuses:    to know a transport
 */
export function createApi(services: ApiServices, settings: ApiSettings): Api {
  const draining = new AbortController()
  const serving: Serving = {
    services,
    settings,
    limits: createLimits(settings.limits, services.clock),
    anonymousRoutes: new Set(settings.anonymousRoutes),
    allowedHosts: settings.allowedHosts && new Set(settings.allowedHosts.map((host) => host.toLowerCase())),
    drainSignal: draining.signal,
    match: createMatcher(
      ROUTES.filter(({ servedBy }) => settings.servedBy === undefined || servedBy === settings.servedBy),
    ),
  }
  return {
    async handle(request) {
      const correlationId = correlationIdOf(request, services.random)
      return respond(await answer(serving, request, correlationId), correlationId, request.isTls)
    },
    drain: () => draining.abort(),
  }
}

/** The answer for what went wrong before a request came to the API. */
export function errorResponse(thrown: unknown, correlationId: string): HttpResponse {
  return respond(encodeError(asBackstopError(thrown), correlationId), correlationId, true)
}
