/** The door of the background's own health: for a supervisor that restarts what is not healthy, and for nothing else. */
import { epochMsOf, instantFrom, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, HttpHandler, HttpRequest, Random, RecoveryHeartbeat } from '#lib/ports/index.ts'
import { type Answer, asBackstopError, encodeError, jsonAnswer, respond } from './answer/index.ts'
import type { CaptureHealth } from './metrics/index.ts'
import { assertHost, correlationIdOf, pathOf } from './request/index.ts'

export interface SyncPorts {
  /** Rejects: it cannot be known, and then it is not healthy. */
  findHeartbeat(): Promise<RecoveryHeartbeat | undefined>
  maxHeartbeatSeconds(): number
  readonly clock: Clock
  readonly random: Random
  /** Answers `/metrics`, with the rights that it asks for. */
  readonly gateway: HttpHandler
  /** Host names that requests may use; absent: any. */
  readonly allowedHosts?: readonly string[]
}

interface SyncHealth {
  readonly status: CaptureHealth
  readonly detail: string
}

const MISSING: Answer = jsonAnswer(404, {
  error: 'route_missing',
  message: 'there is GET /health and GET /metrics here',
})

/** `GET /health`: 200 only when the background capture is healthy, else 503. `GET /metrics`: as the gateway answers it. */
export function createSyncApi(ports: SyncPorts): HttpHandler {
  const allowed = ports.allowedHosts && new Set(ports.allowedHosts.map((host) => host.toLowerCase()))
  return async (request) => {
    const path = pathOf(request.target)
    if (path === '/metrics' && request.method === 'GET') return await ports.gateway(request)
    const correlationId = correlationIdOf(request, ports.random)
    return respond(await answer(ports, request, path, allowed), correlationId, request.isTls)
  }
}

async function answer(
  ports: SyncPorts,
  request: HttpRequest,
  path: string,
  allowed: ReadonlySet<string> | undefined,
): Promise<Answer> {
  try {
    if (allowed !== undefined) assertHost(request, allowed)
  } catch (error) {
    return encodeError(asBackstopError(error), '')
  }
  if (path !== '/health' || !['GET', 'HEAD'].includes(request.method)) return MISSING
  const nowMs = ports.clock.nowMs()
  const { status, detail } = await readHealth(ports, nowMs)
  const body = { service: 'backstop-sync', status, checked_at: instantFrom(nowMs), detail }
  return jsonAnswer(status === 'healthy' ? 200 : 503, body)
}

async function readHealth(ports: SyncPorts, nowMs: number): Promise<SyncHealth> {
  let heartbeat: RecoveryHeartbeat | undefined
  try {
    heartbeat = await ports.findHeartbeat()
  } catch {
    return { status: 'unhealthy', detail: 'the metadata cannot be read' }
  }
  if (heartbeat === undefined) return { status: 'starting', detail: 'the first round has not begun' }
  const ageSeconds = Math.max(0, Math.round((nowMs - epochMsOf(heartbeat.at)) / SECOND_MS))
  if (ageSeconds > ports.maxHeartbeatSeconds()) {
    return {
      status: 'unhealthy',
      detail: `no sign of life for ${ageSeconds} seconds; the last was: ${heartbeat.detail}`,
    }
  }
  return { status: heartbeat.isHealthy ? 'healthy' : 'degraded', detail: heartbeat.detail }
}
