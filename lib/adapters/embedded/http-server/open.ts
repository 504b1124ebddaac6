/** Serve a handler over node:http. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BackstopError } from '#lib/kernel/index.ts'
import type { HttpHandler } from '#lib/ports/index.ts'
import { Exchange } from './exchange.ts'
import type { CloseReport, HttpServerOptions, HttpServerTimeouts, RunningHttpServer } from './model.ts'
import { DEFAULT_HOST, DEFAULT_MAX_CONNECTIONS, DEFAULT_TIMEOUTS, MAX_HEADER_BYTES } from './model.ts'
import { refuse } from './refuse.ts'
import { send } from './send.ts'

const MAX_HEADERS = 100

class Serving {
  readonly running = new Set<Exchange>()
  readonly #handler: HttpHandler
  readonly #writeMs: number
  isClosing = false
  finishedCount = 0
  /** Called when nothing runs any more. */
  onIdle: () => void = () => {}

  constructor(handler: HttpHandler, writeMs: number) {
    this.#handler = handler
    this.#writeMs = writeMs
  }

  async take(message: IncomingMessage, response: ServerResponse, isContinueExpected: boolean): Promise<void> {
    const exchange = new Exchange(message, response, isContinueExpected)
    this.running.add(exchange)
    response.once('close', () => this.#release(exchange))
    try {
      const answer = await this.#handler(exchange)
      send(message, response, answer, { isLast: this.isClosing, writeMs: this.#writeMs })
    } catch {
      response.destroy()
    }
  }

  #release(exchange: Exchange): void {
    this.running.delete(exchange)
    if (this.isClosing && !exchange.signal.aborted) this.finishedCount += 1
    if (this.running.size === 0) this.onIdle()
  }
}

function serverOptions(timeouts: HttpServerTimeouts): ServerOptions {
  return {
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: timeouts.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: true,
    noDelay: true,
  }
}

/** The modules are loaded here: that takes 30 ms, which commands that serve nothing do not wait for. */
async function createNodeServer(options: HttpServerOptions, timeouts: HttpServerTimeouts): Promise<Server> {
  const shared = serverOptions(timeouts)
  if (options.tls === undefined) return (await import('node:http')).createServer(shared)
  const { certificate, key } = options.tls
  const { createServer } = await import('node:https')
  try {
    return createServer({ ...shared, cert: certificate, key, minVersion: 'TLSv1.2' })
  } catch (error) {
    throw new BackstopError('CONFIG_INVALID', 'the TLS certificate or key cannot be used', { cause: error })
  }
}

function listenError(error: NodeJS.ErrnoException, options: HttpServerOptions): Error {
  const place = `port ${options.port} of ${options.host ?? DEFAULT_HOST}`
  if (error.code === 'EADDRINUSE')
    return new BackstopError('PORT_TAKEN', `${place} is taken by another process`, { cause: error })
  const reason = error.code ?? 'unknown'
  return new BackstopError('CONFIG_INVALID', `cannot listen on ${place}: ${reason}`, { cause: error })
}

function listen(server: Server, options: HttpServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)))
    server.listen({ port: options.port, host: options.host ?? DEFAULT_HOST, exclusive: true }, () =>
      resolve(server.address() as AddressInfo),
    )
  })
}

async function close(server: Server, serving: Serving, deadlineMs: number): Promise<CloseReport> {
  serving.isClosing = true
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const idle = new Promise<void>((resolve) => {
    serving.onIdle = resolve
    if (serving.running.size === 0) resolve()
  })
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs)
  })
  await Promise.race([idle, deadline])
  clearTimeout(timer)
  const abortedCount = serving.running.size
  for (const exchange of serving.running) exchange.abort()
  server.closeAllConnections()
  await closed
  return { finishedCount: serving.finishedCount, abortedCount }
}

/**
 * Listen and serve.
 *
 * Effects: opens a port; the handler is called for every request that parses as HTTP/1.1
 * Throws:  `PORT_TAKEN`, `CONFIG_INVALID` for an address or TLS material that cannot be used
 */
export async function openHttpServer(handler: HttpHandler, options: HttpServerOptions): Promise<RunningHttpServer> {
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
  const server = await createNodeServer(options, timeouts)
  const serving = new Serving(handler, timeouts.writeMs)
  server.maxHeadersCount = MAX_HEADERS
  server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS
  server.on('request', (message, response) => void serving.take(message, response, false))
  server.on('checkContinue', (message, response) => void serving.take(message, response, true))
  server.on('clientError', refuse)
  const { address, port } = await listen(server, options)
  const host = address.includes(':') ? `[${address}]` : address
  let closing: Promise<CloseReport> | undefined
  return {
    host: address,
    port,
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    close(deadlineMs) {
      closing ??= close(server, serving, deadlineMs)
      return closing
    },
  }
}
