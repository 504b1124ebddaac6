/** One request of node:http as the port's request. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest } from '#lib/ports/index.ts'
import { declaredBytes, readBody } from './body.ts'

/** Headers are looked up in the list as it was sent: no merging, no dropping, no object keys. */
function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]
    if (header?.length === name.length && header.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? '')
  }
  return values
}

export class Exchange implements HttpRequest {
  readonly method: string
  readonly target: string
  readonly isTls: boolean
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  readonly #abort = new AbortController()
  #isContinueExpected: boolean

  constructor(message: IncomingMessage, response: ServerResponse, isContinueExpected: boolean) {
    this.method = message.method ?? ''
    this.target = message.url ?? ''
    this.isTls = 'encrypted' in message.socket
    this.#message = message
    this.#response = response
    this.#isContinueExpected = isContinueExpected
    response.once('close', () => {
      if (!response.writableFinished) this.abort()
    })
  }

  get remoteAddress(): string {
    return this.#message.socket.remoteAddress ?? ''
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  abort(): void {
    this.#abort.abort()
  }

  headerValues(name: string): readonly string[] {
    return valuesOf(this.#message.rawHeaders, name)
  }

  readBody(limitBytes: number): Promise<Uint8Array> {
    const body = readBody(this.#message, limitBytes)
    if (this.#isContinueExpected && declaredBytes(this.#message) <= limitBytes) this.#response.writeContinue()
    this.#isContinueExpected = false
    return body
  }
}
