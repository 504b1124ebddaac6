/** What a handler answers, before it becomes an HTTP response. */
export interface Answer {
  readonly status: number
  /** Undefined: no body. */
  readonly body: string | undefined
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
}

const NO_HEADERS: Readonly<Record<string, string>> = {}

export function jsonAnswer(status: number, value: unknown, headers = NO_HEADERS): Answer {
  return { status, body: JSON.stringify(value), contentType: 'application/json; charset=utf-8', headers }
}

export function textAnswer(body: string, contentType: string): Answer {
  return { status: 200, body, contentType, headers: NO_HEADERS }
}

export const EMPTY_ANSWER: Answer = { status: 204, body: undefined, contentType: '', headers: NO_HEADERS }
