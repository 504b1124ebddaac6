/** Answer what never became a request: bytes that are not HTTP, headers too large, requests too slow. */
import type { Duplex } from 'node:stream'

interface Refusal {
  readonly status: string
  readonly error: string
  readonly message: string
}

const BAD_REQUEST: Refusal = {
  status: '400 Bad Request',
  error: 'request_invalid',
  message: 'not a valid HTTP request',
}
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    error: 'request_invalid',
    message: 'the headers are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    error: 'request_timeout',
    message: 'the request took too long to arrive',
  },
}

/** The handler of `clientError`. */
export function refuse(error: Error, socket: Duplex): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy()
    return
  }
  const refusal = ('code' in error && REFUSALS[String(error.code)]) || BAD_REQUEST
  const body = JSON.stringify({ error: refusal.error, message: refusal.message })
  const head = [
    `HTTP/1.1 ${refusal.status}`,
    'content-type: application/json; charset=utf-8',
    'x-content-type-options: nosniff',
    'cache-control: no-store',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}
