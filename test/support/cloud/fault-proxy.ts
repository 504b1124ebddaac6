/**
 * An HTTP proxy on loopback in front of a local cloud, which makes bad days by rule.
 *
 *   const proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
 *   const remove = proxy.add({ service: 'sqs', operation: 'SendMessage', on: [1], fault: { kind: 'reset-after' } })
 *   … use proxy.endpoint as the SDK's endpoint …
 *   expect(proxy.calls.map((call) => call.fault)).toEqual(['reset-after', undefined])
 *   await proxy.close()
 *
 * The first rule that falls on a call decides. Calls that no rule falls on pass unchanged.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServiceError } from './fault-answer.ts'
import { encodeServiceError, throttleOf } from './fault-answer.ts'
import type { AwsCall } from './fault-call.ts'
import { readCall } from './fault-call.ts'
import type { Fault, FaultRule } from './fault-rule.ts'
import { ArmedRule, seededRandom } from './fault-rule.ts'

export type { Fault, FaultRule } from './fault-rule.ts'

export interface ProxiedCall extends AwsCall {
  /** Absent: it passed unchanged. */
  readonly fault?: Fault['kind']
}

export interface FaultProxy {
  readonly endpoint: string
  /** All calls so far, in the order they came. */
  readonly calls: readonly ProxiedCall[]
  /** How many calls the other side has answered, whatever becomes of its answers. */
  readonly answeredCount: number
  /** Arm a rule; the function that is returned disarms it. */
  add(rule: FaultRule): () => void
  /** Disarm all rules and forget all calls. */
  clear(): void
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}

export interface FaultProxyOptions {
  readonly upstream: string
  /** For rules with a probability; 1 when absent. */
  readonly seed?: number
  /** Sees every request as it came. */
  readonly onRequest?: (request: IncomingMessage, body: Buffer) => void
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const random = seededRandom(options.seed ?? 1)
  const calls: ProxiedCall[] = []
  let answeredCount = 0
  const rules = new Set<ArmedRule>()
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing).catch((error: Error) => outgoing.destroy(error))
  })

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readBody(incoming)
    options.onRequest?.(incoming, body)
    const call = readCall(incoming.method ?? 'GET', incoming.url ?? '/', incoming.headers, body)
    const fault = [...rules].find((armed) => armed.falls(call))?.rule.fault
    calls.push({ ...call, ...(fault && { fault: fault.kind }) })
    const forward = async () => {
      const answer = await ask(options.upstream, incoming, body)
      answeredCount += 1
      return answer
    }
    await (fault === undefined
      ? forward().then((answer) => send(outgoing, answer))
      : spoil(fault, call, forward, outgoing))
  }

  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls,
    get answeredCount() {
      return answeredCount
    },
    add: (rule) => {
      const armed = new ArmedRule(rule, random)
      rules.add(armed)
      return () => rules.delete(armed)
    },
    clear: () => {
      rules.clear()
      calls.length = 0
      answeredCount = 0
    },
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

async function spoil(
  fault: Fault,
  call: AwsCall,
  forward: () => Promise<Answer>,
  outgoing: ServerResponse,
): Promise<void> {
  switch (fault.kind) {
    case 'throttle':
      return refuse(outgoing, call.service, throttleOf(call.service))
    case 'error':
      return refuse(outgoing, call.service, fault)
    case 'reset-before':
      return breakOff(outgoing)
    case 'reset-after':
      await forward()
      return breakOff(outgoing)
    case 'delay': {
      const answer = await forward()
      await delay(fault.delayMs, undefined, { ref: false })
      return send(outgoing, answer)
    }
    case 'delay-before':
      await delay(fault.delayMs, undefined, { ref: false })
      return send(outgoing, await forward())
    case 'hold':
      await fault.until
      return send(outgoing, await forward())
    case 'hang':
      return
    case 'truncate':
      return sendPart(outgoing, await forward(), fault.keepBytes, () => breakOff(outgoing))
    case 'stall':
      return sendPart(outgoing, await forward(), fault.keepBytes, () => {})
  }
}

function refuse(outgoing: ServerResponse, service: string, error: ServiceError): void {
  const { status, headers, body } = encodeServiceError(service, error)
  outgoing.writeHead(status, headers).end(body)
}

/** With a reset, not an orderly end: that is what a client sees when the other side is gone. */
function breakOff(outgoing: ServerResponse): void {
  outgoing.socket?.resetAndDestroy()
}

function send(outgoing: ServerResponse, answer: Answer): void {
  outgoing.writeHead(answer.status, answer.headers).end(answer.body)
}

/** The announced length stays that of the whole. */
function sendPart(outgoing: ServerResponse, answer: Answer, keepBytes: number | undefined, then: () => void): void {
  const length = keepBytes ?? Math.floor(answer.body.length / 2)
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': String(answer.body.length) })
  outgoing.flushHeaders()
  outgoing.write(answer.body.subarray(0, length), () => setImmediate(then))
}

async function readBody(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Headers that belong to one connection, and those that describe a body that is sent anew. */
const OWN_HEADERS = ['connection', 'keep-alive', 'expect', 'transfer-encoding', 'content-length']

async function ask(upstream: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(upstream)
  const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !OWN_HEADERS.includes(name)))
  const outgoing = request({
    hostname,
    port,
    method: incoming.method,
    path: incoming.url,
    headers: { ...headers, 'content-length': String(body.length) },
    agent: false,
  })
  outgoing.end(body)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject)
  })
  return {
    status: response.statusCode ?? 502,
    headers: answerHeaders(response, incoming.method === 'HEAD'),
    body: await readBody(response),
  }
}

/** The answer to a HEAD announces the length of a body that it does not have. */
function answerHeaders(response: IncomingMessage, isHead: boolean): Answer['headers'] {
  const kept = Object.entries(response.headers).filter(
    ([name]) => !OWN_HEADERS.includes(name) || (isHead && name === 'content-length'),
  )
  return Object.fromEntries(kept) as Answer['headers']
}
