/** One HTTP exchange without a transport: what a server hands over, and what it gets back to send. */
export interface HttpRequest {
  readonly method: string
  /** Path and query exactly as they were sent. */
  readonly target: string
  readonly remoteAddress: string
  readonly isTls: boolean
  /** Aborted when the caller has gone, or when the server cannot wait any longer. */
  readonly signal: AbortSignal
  /** Every value of a header, in the order they came; `name` in lower case. */
  headerValues(name: string): readonly string[]
  /** The whole body. Throws BODY_TOO_LARGE beyond the limit, BODY_INVALID when it ends early. */
  readBody(limitBytes: number): Promise<Uint8Array>
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Empty: no body. */
  readonly body: string
}

/** Answers every request; never rejects. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpResponse>
