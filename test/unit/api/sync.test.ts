import { describe, expect, it } from 'vitest'
import { systemRandom } from '#lib/adapters/system/index.ts'
import { createSyncApi, LOOPBACK_HOSTS } from '#lib/api/index.ts'
import { type Instant, instantFrom } from '#lib/kernel/index.ts'
import type { HttpRequest, HttpResponse, RecoveryHeartbeat } from '#lib/ports/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const clock = createFixedClock()
const NOW = instantFrom(clock.nowMs())

const request = (method: string, target: string, host = 'localhost:9091'): HttpRequest => ({
  method,
  target,
  remoteAddress: '127.0.0.1',
  isTls: false,
  signal: new AbortController().signal,
  headerValues: (name) => (name === 'host' ? [host] : []),
  readBody: async () => new Uint8Array(),
})

function open(findHeartbeat: () => Promise<RecoveryHeartbeat | undefined>) {
  return createSyncApi({
    findHeartbeat,
    maxHeartbeatSeconds: () => 120,
    clock,
    random: systemRandom,
    gateway: async ({ target }): Promise<HttpResponse> => ({ status: 401, headers: {}, body: `gateway ${target}` }),
    allowedHosts: LOOPBACK_HOSTS,
  })
}

function beat(at: Instant, isHealthy: boolean): () => Promise<RecoveryHeartbeat> {
  const heartbeat: RecoveryHeartbeat = { at, isHealthy, detail: 'a round' }
  return () => Promise.resolve(heartbeat)
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined)
const unreadable = (): Promise<never> => Promise.reject(new Error('gone'))

describe('the door of the background', () => {
  it.each([
    ['healthy', 200, 'healthy', beat(NOW, true)],
    ['a table that fails', 503, 'degraded', beat(NOW, false)],
    ['silence', 503, 'unhealthy', beat(instantFrom(clock.nowMs() - 121_000), true)],
    ['no round yet', 503, 'starting', nothing],
    ['metadata that cannot be read', 503, 'unhealthy', unreadable],
  ] as const)('answers %s with %s', async (_, status, word, findHeartbeat) => {
    const answer = await open(findHeartbeat)(request('GET', '/health'))
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toEqual({
      service: 'backstop-sync',
      status: word,
      checked_at: NOW,
      detail: expect.any(String),
    })
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
  })

  it('leaves figures to the gateway with the rights that it asks for, and has nothing else', async () => {
    const api = open(beat(NOW, true))
    expect(await api(request('GET', '/metrics?x'))).toMatchObject({ status: 401, body: 'gateway /metrics?x' })
    for (const [method, path] of [
      ['POST', '/health'],
      ['GET', '/pending'],
      ['POST', '/'],
    ] as const) {
      expect((await api(request(method, path))).status).toBe(404)
    }
  })

  it('answers no host name but those of this machine', async () => {
    expect((await open(beat(NOW, true))(request('GET', '/health', 'evil.example'))).status).not.toBe(200)
  })
})
