/** Call an API without a transport, and check every answer against the schema that the route publishes. */
import type { Api } from '#lib/api/index.ts'
import { ROUTES } from '#lib/api/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpRequest } from '#lib/ports/index.ts'

export interface CallOptions {
  readonly token?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string | Uint8Array
  readonly json?: unknown
  readonly signal?: AbortSignal
  readonly isTls?: boolean
  readonly remoteAddress?: string
}

export interface CallResult {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies are checked field by field in the tests
  readonly body: any
}

function headersOf(options: CallOptions): readonly (readonly [string, string])[] {
  return [
    ...(options.token === undefined ? [] : [['authorization', `Bearer ${options.token}`] as const]),
    ...(options.json === undefined ? [] : [['content-type', 'application/json'] as const]),
    ...(options.headers ?? []),
  ]
}

export function fakeRequest(method: string, target: string, options: CallOptions = {}): HttpRequest {
  const headers = headersOf(options)
  const content = options.json === undefined ? (options.body ?? '') : JSON.stringify(options.json)
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return {
    method,
    target,
    isTls: options.isTls ?? false,
    remoteAddress: options.remoteAddress ?? '192.0.2.1',
    signal: options.signal ?? new AbortController().signal,
    headerValues: (name) => headers.filter(([header]) => header === name).map(([, value]) => value),
    async readBody(limitBytes) {
      if (bytes.byteLength > limitBytes) throw new BackstopError('BODY_TOO_LARGE', 'too large')
      return bytes
    },
  }
}

function assertPublished(method: string, target: string, result: CallResult): void {
  const path = target.split('?', 1)[0] ?? ''
  const route = ROUTES.find((known) => known.method === method && pathPattern(known.path).test(path))
  if (route === undefined || result.status !== 200) return
  route.answer.parse(result.body)
}

function pathPattern(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}

export async function callApi(
  api: Api,
  method: string,
  target: string,
  options: CallOptions = {},
): Promise<CallResult> {
  const { status, headers, body: text } = await api.handle(fakeRequest(method, target, options))
  const isJson = headers['content-type']?.startsWith('application/json') === true
  const result = { status, headers, text, body: isJson ? JSON.parse(text) : text }
  assertPublished(method, target, result)
  return result
}

/** `tools/call` of one tool; the JSON-RPC reply. */
export async function callTool(api: Api, token: string, name: string, args: object): Promise<CallResult> {
  const json = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }
  return callApi(api, 'POST', '/', { token, json })
}
