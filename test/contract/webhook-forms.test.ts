/** The forms of Slack and PagerDuty, their retries and what is written down of them, against a real receiver. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { relayAlert } from '#lib/adapters/aws/index.ts'
import type { SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { createDurableWorkQueue, createFileSecrets, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemRandom } from '#lib/adapters/system/index.ts'
import {
  createWebhookNotifier,
  createWebhookTargets,
  decodeWebhookSettings,
  readFormedUrl,
  type WebhookTarget,
} from '#lib/adapters/webhook/index.ts'
import { type AlertDesk, openAlertDesk } from '#lib/gate/index.ts'
import type { Alert, AlertDelivery } from '#lib/ports/index.ts'
import { createFixedClock, type FixedClock } from '#test/support/fixed-clock.ts'
import { type Delivered, type Receiver, startReceiver } from '#test/support/watch/receiver.ts'

const ROUTING_KEY = 'R0123456789ABCDEF0123456789ABCDE'
const DROP = {
  severity: 'critical',
  eventType: 'table_drop_detected',
  title: 'The table public.<!channel> & co was dropped',
  recommendedAction: 'Bring it back: backstop recover --table t',
  facts: { table: 'public.t', rows: 20, nothing: null },
  dedupeKey: 'dropped:1',
} as const

let receiver: Receiver
let records: SqliteRecordStore
let clock: FixedClock
let raised: string[]

beforeEach(async () => {
  receiver = await startReceiver()
  clock = createFixedClock()
  raised = []
  records = openSqliteRecordStore({ path: ':memory:', clock })
})
afterEach(async () => {
  await receiver.close()
  await records.close()
})

function open(webhooks: readonly WebhookTarget[]) {
  const queue = createDurableWorkQueue({ records, clock, random: systemRandom, onFailure: () => undefined })
  const secrets = createFileSecrets({ environment: { KEY: ROUTING_KEY, HOOK: 'a-shared-secret' } })
  let desk: AlertDesk | undefined
  const notifier = createWebhookNotifier({
    queue,
    secrets,
    clock,
    webhooks,
    log: () => undefined,
    timeoutMs: 60_000,
    onDelivery: async (delivery) => desk?.noteDelivery(delivery),
  })
  desk = openAlertDesk({
    records,
    notifier,
    clock,
    random: systemRandom,
    environment: 'production',
    onRaised: (eventType, status) => raised.push(`${eventType} ${status}`),
  })
  return { queue, desk }
}

const pager = (): WebhookTarget => ({
  name: 'pager',
  url: `${receiver.url}/v2/enqueue`,
  form: 'pagerduty',
  routingKeyName: 'KEY',
})
const slack = (): WebhookTarget => ({ name: 'chat', url: `${receiver.url}/services/T0/B0/secret`, form: 'slack' })
const generic = (): WebhookTarget => ({ name: 'ops', url: `${receiver.url}/hook`, secretName: 'HOOK' })

describe('webhook forms', () => {
  it('sends Slack a text and blocks in which a name cannot call anybody', async () => {
    const { queue, desk } = open([slack()])
    await desk.raise(DROP)
    await queue.runDue()
    const { body, headers } = receiver.received[0] as Delivered
    expect(body.text).toBe(
      '[production] CRITICAL: The table public.&lt;!channel&gt; &amp; co was dropped. Bring it back: backstop recover --table t',
    )
    expect(body.blocks.map(({ type }: { type: string }) => type)).toEqual(['header', 'section', 'section', 'context'])
    expect(body.blocks[0].text.type).toBe('plain_text')
    expect(body.blocks[2].text.text).toBe('*table:* public.t\n*rows:* 20')
    expect(JSON.stringify(body.blocks.slice(1))).not.toContain('<!channel>')
    expect(headers['x-backstop-signature']).toBeUndefined()
  })

  it('keeps to the lengths that Slack takes', async () => {
    const { queue, desk } = open([slack()])
    const facts = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`fact ${n}`, 'x'.repeat(5_000)]))
    await desk.raise({ ...DROP, title: 't'.repeat(9_000), recommendedAction: 'a'.repeat(9_000), facts })
    await queue.runDue()
    const { blocks } = receiver.received[0]?.body ?? {}
    expect(blocks[0].text.text.length).toBeLessThanOrEqual(150)
    for (const block of blocks.slice(1, 3)) expect(block.text.text.length).toBeLessThanOrEqual(3_000)
  })

  it('triggers an incident at PagerDuty and resolves that very one when it is over', async () => {
    const { queue, desk } = open([pager()])
    await desk.begin('dropped', DROP)
    await desk.begin('dropped', DROP)
    await queue.runDue()
    clock.advance(60_000)
    await desk.end('dropped', DROP.dedupeKey)
    await desk.end('dropped', DROP.dedupeKey)
    await queue.runDue()
    await desk.begin('dropped', DROP)
    await queue.runDue()
    const bodies = receiver.received.map(({ body }) => body)
    expect(bodies.map(({ event_action, dedup_key }) => [event_action, dedup_key])).toEqual([
      ['trigger', 'production/dropped:1'],
      ['resolve', 'production/dropped:1'],
      ['trigger', 'production/dropped:1'],
    ])
    expect(bodies[0]).toMatchObject({
      routing_key: ROUTING_KEY,
      payload: {
        summary: '[production] The table public.<!channel> & co was dropped',
        severity: 'critical',
        source: 'backstop/production',
        component: 'public.t',
        class: 'table_drop_detected',
        timestamp: '2027-01-15T08:00:00.000Z',
        custom_details: { recommended_action: DROP.recommendedAction, rows: 20 },
      },
    })
    expect((await desk.list({ limit: 10 })).alerts.map(({ status }) => status)).toEqual(['sent', 'sent', 'sent'])
  })

  it('wakes nobody for what is only to be known, and sends seals of the ledger to programs alone', async () => {
    const { queue, desk } = open([pager(), slack(), generic()])
    await desk.raise({ ...DROP, severity: 'info', dedupeKey: 'a' })
    await desk.raise({ ...DROP, severity: 'info', eventType: 'audit_anchor', dedupeKey: 'b' })
    await queue.runDue()
    expect(receiver.received.map(({ path }) => path).toSorted()).toEqual(['/hook', '/hook', '/services/T0/B0/secret'])
    expect((await desk.list({ limit: 10 })).alerts.map(({ status }) => status)).toEqual(['sent', 'sent'])
  })

  it('writes down what each target answered, and that all have it only when all have it', async () => {
    const { queue, desk } = open([slack(), generic()])
    receiver.answerWith({ status: 503 }, { status: 200 })
    await desk.raise(DROP)
    await queue.runDue()
    const [failed] = (await desk.list({ limit: 1 })).alerts
    expect(failed).toMatchObject({ status: 'failed_http_503' })
    expect(failed?.deliveries?.map(({ status, attempts }) => [status, attempts]).toSorted()).toEqual([
      ['failed_http_503', 1],
      ['sent', 1],
    ])
    clock.advance(10_000)
    await queue.runDue()
    expect((await desk.list({ limit: 1 })).alerts).toMatchObject([
      {
        status: 'sent',
        deliveries: expect.arrayContaining([expect.objectContaining({ status: 'sent', attempts: 2 })]),
      },
    ])
    expect(raised).toEqual(
      expect.arrayContaining([
        'table_drop_detected recorded',
        'table_drop_detected failed_http_503',
        'table_drop_detected sent',
      ]),
    )
  })

  it.each([
    ['seconds', '120'],
    ['a date', 'Fri, 15 Jan 2027 08:02:00 GMT'],
  ])('waits as long as a receiver asks for in %s', async (_, header) => {
    const { queue, desk } = open([generic()])
    receiver.answerWith({ status: 429, headers: { 'retry-after': header } })
    await desk.raise(DROP)
    await queue.runDue()
    clock.advance(119_000)
    expect(await queue.runDue()).toBe(0)
    clock.advance(2_000)
    expect(await queue.runDue()).toBe(1)
    expect((await desk.list({ limit: 1 })).alerts).toMatchObject([{ status: 'sent' }])
  })

  it('never waits longer than a quarter of an hour, whatever a receiver asks for', async () => {
    const { queue, desk } = open([generic()])
    receiver.answerWith({ status: 503, headers: { 'retry-after': '999999999' } })
    await desk.raise(DROP)
    await queue.runDue()
    clock.advance(900_000)
    expect(await queue.runDue()).toBe(1)
  })

  it('says once what is raised again within five minutes, in the list and on the way', async () => {
    const { queue, desk } = open([generic()])
    const first = await desk.raise(DROP)
    expect(await desk.raise(DROP)).toEqual({ alertId: first.alertId, status: 'repeated' })
    await queue.runDue()
    expect([receiver.received.length, (await desk.list({ limit: 10 })).alerts.length]).toEqual([1, 1])
    clock.advance(301_000)
    expect(await desk.raise(DROP)).toMatchObject({ status: 'recorded' })
  })

  it('keeps what stands over a restart, and tells nobody twice', async () => {
    await open([generic()]).desk.settle('stale', [DROP])
    const { queue, desk } = open([generic()])
    await desk.settle('stale', [DROP])
    await queue.runDue()
    expect(receiver.received).toHaveLength(1)
    clock.advance(5_000)
    await desk.settle('stale', [])
    await desk.settle('stale', [])
    await queue.runDue()
    expect(receiver.received.map(({ body }) => body.state)).toEqual(['raised', 'resolved'])
    expect(receiver.received[1]?.body).toMatchObject({
      severity: 'info',
      incident_key: 'dropped:1',
      facts: { lastedSeconds: 5, resolves: receiver.received[0]?.body.id },
    })
  })

  it('has no form for PagerDuty without a routing key, and shows none of the addresses', () => {
    const refuse = () => open([{ name: 'pager', url: `${receiver.url}/secret-path`, form: 'pagerduty' }])
    expect(refuse).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(refuse).not.toThrow('secret-path')
  })
})

describe('the relay on AWS', () => {
  const relay = async (targets: readonly WebhookTarget[], alert: Alert) => {
    const { desk } = open([])
    const { secrets } = decodeWebhookSettings('{"webhooks":[]}')
    const ports = { records, clock, onDelivery: (delivery: AlertDelivery) => desk.noteDelivery(delivery) }
    const sent = relayAlert(alert, createWebhookTargets({ secrets, clock, timeoutMs: 60_000 }, targets), ports)
    const error = await sent.then(
      () => undefined,
      (thrown: { details: Record<string, unknown> }) => thrown,
    )
    return { error, alerts: (await desk.list({ limit: 10 })).alerts }
  }

  it('writes down what became of each delivery, and waits as long as the slowest target asks for', async () => {
    const { desk } = open([])
    await desk.raise(DROP)
    const alert = (await desk.list({ limit: 1 })).alerts[0]?.alert as Alert
    receiver.answerWith(
      { status: 429, headers: { 'retry-after': '90' } },
      { status: 503, headers: { 'retry-after': '30' } },
    )
    const other: WebhookTarget = { name: 'second', url: `${receiver.url}/second` }
    const unsigned: WebhookTarget = { name: 'ops', url: `${receiver.url}/hook` }
    const failed = await relay([unsigned, other], alert)
    expect(failed.error?.details['retryAfterSeconds']).toBe(90)
    expect(failed.alerts[0]?.status).toMatch(/^failed_http_(429|503)$/)
    expect(await relay([unsigned, other], alert)).toMatchObject({ error: undefined, alerts: [{ status: 'sent' }] })
    expect(receiver.received).toHaveLength(4)
  })

  it('leaves a target alone that does not take such alerts', async () => {
    const { desk } = open([])
    await desk.raise({ ...DROP, eventType: 'audit_anchor', severity: 'info' })
    const alert = (await desk.list({ limit: 1 })).alerts[0]?.alert as Alert
    expect(await relay([slack()], alert)).toMatchObject({ error: undefined, alerts: [{ status: 'recorded' }] })
    expect(receiver.received).toEqual([])
  })

  it('reads forms and routing keys of its targets from one secret', async () => {
    const { webhooks, secrets } = decodeWebhookSettings(
      JSON.stringify({
        signing_secret: 's',
        webhooks: [
          { name: 'pager', url: 'https://events.pagerduty.com/v2/enqueue', routing_key: ROUTING_KEY },
          { name: 'chat', url: 'https://chat.example.com/x', form: 'slack' },
        ],
      }),
    )
    expect(webhooks).toMatchObject([{ form: 'pagerduty', routingKeyName: 'routing_key.pager' }, { form: 'slack' }])
    await expect(secrets.find('routing_key.pager')).resolves.toBe(ROUTING_KEY)
    expect(() => decodeWebhookSettings('{"webhooks":[{"name":"a","url":"https://x","form":"teams"}]}')).toThrow(
      'generic, slack',
    )
  })
})

describe('the check of a signature in docs/alerts.md', () => {
  it('takes what was sent, and nothing that was changed, is late or is signed with another key', async () => {
    const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8')
    const code = page.split('```js verify\n')[1]?.split('```')[0] ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'backstop-verify-'))
    writeFileSync(join(folder, 'verify.mjs'), code)
    const { isFromBackstop } = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'verify.mjs')).href)
    const { queue, desk } = open([generic()])
    await desk.raise(DROP)
    await queue.runDue()
    const { headers, text } = receiver.received[0] as Delivered
    const nowS = clock.nowMs() / 1_000
    expect(isFromBackstop('a-shared-secret', headers, text, nowS)).toBe(true)
    expect(isFromBackstop('a-shared-secret', headers, text.replace('20', '21'), nowS)).toBe(false)
    expect(isFromBackstop('another-secret', headers, text, nowS)).toBe(false)
    expect(isFromBackstop('a-shared-secret', headers, text, nowS + 301)).toBe(false)
    expect(
      isFromBackstop('a-shared-secret', { ...headers, 'x-backstop-timestamp': String(nowS + 1) }, text, nowS),
    ).toBe(false)
    expect(isFromBackstop('a-shared-secret', {}, text, nowS)).toBe(false)
    rmSync(folder, { recursive: true })
  })
})

describe('readFormedUrl', () => {
  it.each([
    ['https://hooks.slack.com/services/T/B/x', undefined, 'slack'],
    ['https://hooks.slack-gov.com/services/T/B/x', undefined, 'slack'],
    ['https://events.pagerduty.com/v2/enqueue', undefined, 'pagerduty'],
    ['https://events.eu.pagerduty.com/v2/enqueue', undefined, 'pagerduty'],
    ['https://hooks.slack.com.example.org/x', undefined, 'generic'],
    ['https://ops.example.org/slack.com', undefined, 'generic'],
    ['https://ops.example.org/x', 'slack', 'slack'],
    ['slack+https://ops.example.org/x', 'pagerduty', 'slack'],
    ['generic+https://hooks.slack.com/x', undefined, 'generic'],
  ] as const)('takes %s with preset %s for %s', (text, preset, form) => {
    expect(readFormedUrl(text, preset)).toEqual({ url: text.replace(/^\w+\+/, ''), form })
  })
})
