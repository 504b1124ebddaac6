import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { createDurableWorkQueue, createFileSecrets, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemRandom } from '#lib/adapters/system/index.ts'
import type { WebhookTarget } from '#lib/adapters/webhook/index.ts'
import { createWebhookNotifier } from '#lib/adapters/webhook/index.ts'
import type { Instant, JsonObject } from '#lib/kernel/index.ts'
import type { Alert, Clock } from '#lib/ports/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { notifierContract } from './notifier.ts'

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const SECRET = 'a-shared-secret'
const alert: Alert = {
  id: 'alrt_1',
  severity: 'critical',
  eventType: 'approval_requested',
  title: 'DROP TABLE waits for a decision',
  recommendedAction: 'Decide with "backstop approvals list"',
  environment: 'production',
  at: '2027-01-15T08:00:00.000Z' as Instant,
  facts: { approval_id: 'appr_1' },
}

notifierContract('webhooks', async () => {
  const documents: JsonObject[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    documents.push(JSON.parse(body))
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const clock = createFixedClock()
  const secrets = createFileSecrets({ environment: {} })
  const open = (records: SqliteRecordStore) => {
    const queue = createDurableWorkQueue({ records, clock, random: systemRandom, onFailure: () => undefined })
    const webhooks = [{ name: 'ops', url }]
    const log = () => undefined
    return { queue, notifier: createWebhookNotifier({ queue, secrets, clock, webhooks, log, timeoutMs: 60_000 }) }
  }
  const records = openSqliteRecordStore({ path: ':memory:', clock })
  const closed = openSqliteRecordStore({ path: ':memory:', clock })
  await closed.close()
  const { queue, notifier } = open(records)
  const received = async () => {
    await queue.runDue()
    return documents
  }
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await records.close()
  }
  return { notifier, broken: open(closed).notifier, received, close }
})

describe('notifier: webhooks themselves', () => {
  let server: Server
  let url: string
  let received: Received[]
  let answer: (response: ServerResponse, count: number) => void
  let records: SqliteRecordStore
  let clock: FixedClock
  let lines: JsonObject[]
  let failures: string[]

  beforeEach(async () => {
    received = []
    lines = []
    failures = []
    answer = (response) => response.end('ok')
    clock = createFixedClock()
    records = openSqliteRecordStore({ path: ':memory:', clock })
    server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      received.push({ path: request.url ?? '', headers: request.headers, body })
      answer(response, received.length)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    server.close()
    await records.close()
  })

  const open = (webhooks: readonly WebhookTarget[], timeoutMs = 60_000) => {
    const queue = createDurableWorkQueue({
      records,
      clock: clock as Clock,
      random: systemRandom,
      onFailure: ({ error }) => failures.push((error as Error).message),
    })
    const secrets = createFileSecrets({ environment: { HOOK_SECRET: SECRET } })
    const notifier = createWebhookNotifier({
      queue,
      secrets,
      clock,
      webhooks,
      timeoutMs,
      log: (line) => lines.push(line),
    })
    return { queue, notifier }
  }
  const signed = (path = '/hook') => [{ name: 'ops', url: url + path, secretName: 'HOOK_SECRET' }]

  it('posts an alert with a text for chat, fields for programs and a signature over both time and body', async () => {
    const { queue, notifier } = open(signed())
    await notifier.notify(alert)
    expect(received).toEqual([])
    expect(await queue.runDue()).toBe(1)
    const { path, headers, body } = received[0] as Received
    expect(path).toBe('/hook')
    expect(JSON.parse(body)).toEqual({
      text: '[production] CRITICAL: DROP TABLE waits for a decision. Decide with "backstop approvals list"',
      id: 'alrt_1',
      severity: 'critical',
      event_type: 'approval_requested',
      title: 'DROP TABLE waits for a decision',
      recommended_action: 'Decide with "backstop approvals list"',
      environment: 'production',
      at: '2027-01-15T08:00:00.000Z',
      facts: { approval_id: 'appr_1' },
      state: 'raised',
      incident_key: null,
    })
    expect(headers['x-backstop-timestamp']).toBe('1800000000')
    const expected = createHmac('sha256', SECRET).update(`1800000000.${body}`).digest('hex')
    expect(headers['x-backstop-signature']).toBe(`v1=${expected}`)
    expect(headers['content-type']).toBe('application/json')
  })

  it('writes every alert to the log, also without a webhook', async () => {
    const { queue, notifier } = open([])
    await notifier.notify(alert)
    expect(lines).toMatchObject([{ event: 'alert', id: 'alrt_1', eventType: 'approval_requested' }])
    expect(await queue.runDue()).toBe(0)
  })

  it('tries again after a failure, under the same delivery id, with a fresh timestamp', async () => {
    answer = (response, count) => {
      response.statusCode = count < 3 ? 503 : 204
      response.end()
    }
    const { queue, notifier } = open(signed())
    await notifier.notify(alert)
    for (let attempt = 0; attempt < 4; attempt++) {
      await queue.runDue()
      clock.advance(10_000)
    }
    expect(received).toHaveLength(3)
    expect(new Set(received.map(({ headers }) => headers['x-backstop-delivery'])).size).toBe(1)
    expect(new Set(received.map(({ headers }) => headers['x-backstop-signature'])).size).toBe(3)
    expect(failures).toEqual(Array.from({ length: 2 }, () => 'the webhook ops failed: it answered with status 503'))
  })

  it('gives up on an address that does not answer in time', async () => {
    answer = () => undefined
    const { queue, notifier } = open(signed(), 50)
    await notifier.notify(alert)
    await queue.runDue()
    expect(failures).toEqual(['the webhook ops failed: it did not answer in time'])
  })

  it('follows no redirect', async () => {
    answer = (response) => {
      response.writeHead(307, { location: `${url}/elsewhere` })
      response.end()
    }
    const { queue, notifier } = open(signed())
    await notifier.notify(alert)
    await queue.runDue()
    expect(received.map(({ path }) => path)).toEqual(['/hook'])
    expect(failures).toEqual(['the webhook ops failed: it answered with status 307'])
  })

  it('sends one of several alerts with the same dedupe key, to every webhook', async () => {
    const { queue, notifier } = open([...signed('/one'), { name: 'chat', url: `${url}/two` }])
    for (const id of ['alrt_1', 'alrt_2', 'alrt_3'] as const) await notifier.notify({ ...alert, id, dedupeKey: 'held' })
    await queue.runDue()
    expect(received.map(({ path }) => path).sort()).toEqual(['/one', '/two'])
    expect(received.find(({ path }) => path === '/two')?.headers['x-backstop-signature']).toBeUndefined()
    clock.advance(300_000)
    await notifier.notify({ ...alert, id: 'alrt_4', dedupeKey: 'held' })
    await queue.runDue()
    expect(received).toHaveLength(4)
  })

  it('keeps an alert over a restart', async () => {
    await open(signed()).notifier.notify(alert)
    expect(await open(signed()).queue.runDue()).toBe(1)
    expect(received).toHaveLength(1)
  })

  it('names neither address nor secret in a failure', async () => {
    const { queue, notifier } = open([
      { name: 'ops', url: 'http://127.0.0.1:1/T000/secret-path', secretName: 'HOOK_SECRET' },
    ])
    await notifier.notify(alert)
    await queue.runDue()
    expect(failures).toEqual(['the webhook ops failed: it cannot be reached'])
  })

  it.each(['ftp://example.com/', 'file:///etc/passwd', 'not a url', 'https://user:pw@example.com/'])(
    'refuses %s as an address',
    (address) => {
      expect(() => open([{ name: 'ops', url: address }])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    },
  )
})
