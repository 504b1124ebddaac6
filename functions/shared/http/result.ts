/** What API Gateway wants as an answer; both kinds of API take this form. */
import type { HttpResponse } from '#lib/ports/index.ts'

export interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly isBase64Encoded: false
}

export function encodeHttpResult({ status, headers, body }: HttpResponse): HttpResult {
  return { statusCode: status, headers, body, isBase64Encoded: false }
}
