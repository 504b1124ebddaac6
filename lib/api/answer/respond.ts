/** Turn an answer into an HTTP response with the headers that every response carries. */
import type { HttpResponse } from '#lib/ports/index.ts'
import type { Answer } from './model.ts'

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

const TRANSPORT_SECURITY = 'max-age=31536000; includeSubDomains'

export function respond(answer: Answer, correlationId: string, isTls: boolean): HttpResponse {
  const headers: Record<string, string> = { ...SECURITY_HEADERS, ...answer.headers, 'x-correlation-id': correlationId }
  if (answer.body !== undefined) headers['content-type'] = answer.contentType
  if (isTls) headers['strict-transport-security'] = TRANSPORT_SECURITY
  return { status: answer.status, headers, body: answer.body ?? '' }
}
