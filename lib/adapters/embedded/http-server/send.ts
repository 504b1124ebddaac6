/** Send a response, and leave the connection in a state that is safe for the next request. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpResponse } from '#lib/ports/index.ts'
import { declaredBytes } from './body.ts'

/** What may still come of a body that nobody reads, before the connection is cut. */
const LINGER_BYTES = 262_144
const LINGER_MS = 1_000

export interface SendOptions {
  readonly isLast: boolean
  readonly writeMs: number
}

/** Let a caller finish sending what it had begun, so that it reads the answer instead of a reset. */
function linger(message: IncomingMessage, response: ServerResponse): void {
  let restBytes = LINGER_BYTES
  const stop = (): void => {
    clearTimeout(timer)
    message.off('data', onData)
    response.end()
  }
  const onData = (chunk: Uint8Array): void => {
    restBytes -= chunk.byteLength
    if (restBytes < 0) stop()
  }
  const timer = setTimeout(stop, LINGER_MS)
  message.on('data', onData).once('end', stop).once('close', stop)
  message.resume()
}

/** A reader that does not read holds memory: give it a limited time. */
function limitWriting(response: ServerResponse, writeMs: number): void {
  if (response.writableLength === 0) return
  const timer = setTimeout(() => response.destroy(), writeMs)
  response.once('close', () => clearTimeout(timer))
}

/** An unread body that node:http may drain by itself, so that the connection can serve the next request. */
const DRAINED_BYTES = 65_536

/** More may still come than is worth waiting for. */
function isBodyOpen(message: IncomingMessage): boolean {
  if (message.complete) return false
  const { headers } = message
  return (
    headers['transfer-encoding'] !== undefined || headers.expect !== undefined || declaredBytes(message) > DRAINED_BYTES
  )
}

/** Send it. A request with a long body that was not read to its end is the last one on its connection. */
export function send(
  message: IncomingMessage,
  response: ServerResponse,
  answer: HttpResponse,
  options: SendOptions,
): void {
  if (response.destroyed) return
  const isOpen = isBodyOpen(message)
  const headers: Record<string, string | number> = { ...answer.headers }
  if (answer.status !== 204) headers['content-length'] = Buffer.byteLength(answer.body)
  if (isOpen || options.isLast) headers['connection'] = 'close'
  response.writeHead(answer.status, headers)
  if (!isOpen) response.end(answer.body)
  else {
    response.write(answer.body)
    linger(message, response)
  }
  limitWriting(response, options.writeMs)
}
