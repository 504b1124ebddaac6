/**
 * Turn an API Gateway event into an HTTP request: HTTP API payload 2.0, and REST API proxy.
 *
 * Throws: REQUEST_INVALID for an event of neither shape
 * Source: API Gateway documentation, "Lambda proxy integration", payload format 2.0 and REST
 */
import { z } from 'zod'
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'

const texts = z.record(z.string(), z.string().optional()).nullish()
const lists = z.record(z.string(), z.array(z.string()).optional()).nullish()
const body = { body: z.string().nullish(), isBase64Encoded: z.boolean().default(false) }

const httpApiEvent = z.object({
  ...body,
  version: z.literal('2.0'),
  rawPath: z.string().startsWith('/'),
  rawQueryString: z.string().default(''),
  headers: texts,
  requestContext: z.object({
    stage: z.string(),
    http: z.object({ method: z.string().min(1), sourceIp: z.string() }),
    authorizer: z.object({ lambda: z.unknown().optional() }).nullish(),
  }),
})

const restEvent = z.object({
  ...body,
  httpMethod: z.string().min(1),
  path: z.string().startsWith('/'),
  headers: texts,
  multiValueHeaders: lists,
  queryStringParameters: texts,
  multiValueQueryStringParameters: lists,
  requestContext: z.object({
    identity: z.object({ sourceIp: z.string() }),
    authorizer: z.unknown().optional(),
  }),
})

type HttpApiEvent = z.output<typeof httpApiEvent>
type RestEvent = z.output<typeof restEvent>

/** A request, and what the authorizer said about it. */
export interface ReceivedRequest {
  readonly request: HttpRequest
  /** As it came: it has to be checked. Undefined: no authorizer was asked. */
  readonly authorizerContext: unknown
}

type Fields = z.output<z.ZodObject<typeof body>> & {
  readonly method: string
  readonly target: string
  readonly remoteAddress: string
  readonly headers: ReadonlyMap<string, readonly string[]>
}

/** Values that are there, by the header's name in lower case. */
function headerMap(single: HttpApiEvent['headers'], multiple?: RestEvent['multiValueHeaders']) {
  const headers = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(single ?? {})) {
    if (value !== undefined) headers.set(name.toLowerCase(), [value])
  }
  for (const [name, values] of Object.entries(multiple ?? {})) {
    if (values !== undefined) headers.set(name.toLowerCase(), values)
  }
  return headers
}

/** The path of an HTTP API begins with its stage, unless that is the default one. */
function withoutStage(path: string, stage: string): string {
  if (stage === '$default' || !`${path}/`.startsWith(`/${stage}/`)) return path
  return path.slice(stage.length + 1) || '/'
}

function readHttpApi(event: HttpApiEvent): Fields {
  const { http, stage } = event.requestContext
  const query = event.rawQueryString === '' ? '' : `?${event.rawQueryString}`
  return {
    ...event,
    method: http.method,
    target: withoutStage(event.rawPath, stage) + query,
    remoteAddress: http.sourceIp,
    headers: headerMap(event.headers),
  }
}

/** A REST API hands over decoded parameters; encoded again they mean the same. */
function queryText(event: RestEvent): string {
  const query = new URLSearchParams()
  const multiple = event.multiValueQueryStringParameters
  const pairs =
    multiple ??
    Object.fromEntries(
      Object.entries(event.queryStringParameters ?? {}).map(([n, v]) => [n, v === undefined ? undefined : [v]]),
    )
  for (const [name, values] of Object.entries(pairs)) for (const value of values ?? []) query.append(name, value)
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

function readRest(event: RestEvent): Fields {
  return {
    ...event,
    method: event.httpMethod,
    target: event.path + queryText(event),
    remoteAddress: event.requestContext.identity.sourceIp,
    headers: headerMap(event.headers, event.multiValueHeaders),
  }
}

function decodeBody(fields: Fields, limitBytes: number): Uint8Array {
  const text = fields.body ?? ''
  const encoding = fields.isBase64Encoded ? 'base64' : 'utf8'
  if (Buffer.byteLength(text, encoding) > limitBytes) {
    throw new BackstopError('BODY_TOO_LARGE', `the body is larger than ${limitBytes} bytes`, {
      details: { limitBytes },
    })
  }
  return Buffer.from(text, encoding)
}

function requestOf(fields: Fields, signal: AbortSignal): HttpRequest {
  const { method, target, remoteAddress, headers } = fields
  return {
    method,
    target,
    remoteAddress,
    // API Gateway answers nothing else.
    isTls: true,
    signal,
    headerValues: (name) => headers.get(name) ?? [],
    readBody: async (limitBytes) => decodeBody(fields, limitBytes),
  }
}

export function decodeHttpEvent(event: unknown, signal: AbortSignal): ReceivedRequest {
  const http = httpApiEvent.safeParse(event)
  if (http.success) {
    const { authorizer } = http.data.requestContext
    return { request: requestOf(readHttpApi(http.data), signal), authorizerContext: authorizer?.lambda ?? undefined }
  }
  const rest = restEvent.safeParse(event)
  if (!rest.success) throw new BackstopError('REQUEST_INVALID', 'the event is not one of an HTTP API or a REST API')
  const { authorizer } = rest.data.requestContext
  return { request: requestOf(readRest(rest.data), signal), authorizerContext: authorizer ?? undefined }
}
