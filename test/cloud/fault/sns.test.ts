import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import type { SnsNotifier } from '#lib/adapters/aws/index.ts'
import {
  createAlertHandler,
  createQueueNotifier,
  createSnsNotifier,
  handleSqsBatch,
  openSqsVisibility,
  openSqsWorkQueue,
  relayAlert,
} from '#lib/adapters/aws/index.ts'
import { openSqliteRecordStore, type SqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { createWebhookTargets, decodeWebhookSettings } from '#lib/adapters/webhook/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { AlertTarget, RecordStore } from '#lib/ports/index.ts'
import { type Fault, type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import {
  acknowledge,
  type OwnQueue,
  type OwnQueues,
  openOwnQueues,
  pullBatch,
  readAll,
  sendRaw,
} from '#test/support/cloud/sqs.ts'
import { sampleAlert } from '../../contract/notifier.ts'

const SECRET = 'a-signing-secret'
/** A request that timed out on a busy machine would be sent, and counted, once more. */
const PATIENT_MS = 30_000
/** Where no answer comes: still longer than a busy machine holds one up. */
const IMPATIENT_MS = 6_000

interface Posted {
  readonly headers: IncomingHttpHeaders
  readonly id: string
}

describe('telling operators on a bad day', () => {
  let proxy: FaultProxy
  let cloud: OwnQueues
  let inbox: OwnQueue
  let topicArn: string
  let topic: SnsNotifier
  let hook: Server
  let hookStatus: number
  let posted: Posted[]
  let webhooks: readonly AlertTarget[]
  let records: SqliteRecordStore

  beforeAll(async () => {
    proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
    hook = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      posted.push({ headers: request.headers, id: JSON.parse(body).id })
      response.writeHead(hookStatus).end()
    })
    hook.listen(0, '127.0.0.1')
    await once(hook, 'listening')
  })
  beforeEach(async () => {
    proxy.clear()
    posted = []
    hookStatus = 204
    cloud = openOwnQueues(inject('cloudEndpoint'))
    inbox = await cloud.create()
    topicArn = (await cloud.sns.send(new CreateTopicCommand({ Name: 'alerts' }))).TopicArn as string
    await cloud.sns.send(new SubscribeCommand({ TopicArn: topicArn, Protocol: 'sqs', Endpoint: inbox.arn }))
    topic = openTopic(PATIENT_MS)
    const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`
    const settings = decodeWebhookSettings(JSON.stringify({ signing_secret: SECRET, webhooks: [{ name: 'ops', url }] }))
    const targetPorts = { secrets: settings.secrets, clock: systemClock, timeoutMs: PATIENT_MS }
    webhooks = createWebhookTargets(targetPorts, settings.webhooks)
    records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
  })
  afterAll(async () => {
    hook.close()
    await proxy.close()
  })

  const openTopic = (requestTimeoutMs: number) =>
    createSnsNotifier({ aws: { ...cloud.aws, endpoint: proxy.endpoint, requestTimeoutMs }, topicArn })
  const arrived = async () =>
    (await readAll(cloud.sqs, inbox.url)).map((body) => JSON.parse(JSON.parse(body).Message).id as string)
  const ports = () => ({ records, clock: systemClock })
  const sns = { service: 'sns', operation: 'Publish' } as const

  it.each<[string, Fault]>([
    ['throttled', { kind: 'throttle' }],
    ['failing', { kind: 'error', status: 500, name: 'InternalError' }],
    ['resetting connections', { kind: 'reset-before' }],
    ['silent', { kind: 'hang' }],
  ])('publishes once when SNS was %s for two attempts', async (_, fault) => {
    proxy.add({ ...sns, on: [1, 2], fault })
    await (fault.kind === 'hang' ? openTopic(IMPATIENT_MS) : topic).notify(sampleAlert)
    expect(proxy.calls).toHaveLength(3)
    expect(await arrived()).toEqual(['alrt_1'])
  })

  it('publishes twice, under the alert’s one id, when an answer got lost', async () => {
    proxy.add({ ...sns, on: [1], fault: { kind: 'reset-after' } })
    await topic.notify(sampleAlert)
    expect(await arrived()).toEqual(['alrt_1', 'alrt_1'])
  })

  it.each<[string, Fault, string]>([
    ['throttled', { kind: 'throttle' }, 'slow down'],
    ['failing', { kind: 'error', status: 500, name: 'InternalError' }, 'see its health page'],
    ['gone', { kind: 'error', status: 404, name: 'NotFound' }, 'check the name and the deployment'],
    ['closed to us', { kind: 'error', status: 403, name: 'AuthorizationError' }, "check the role's policy"],
  ])('says what to do, and nothing of the alert, when SNS stays %s', async (_, fault, advice) => {
    proxy.add({ ...sns, fault })
    const error = await topic.notify(sampleAlert).catch((cause: unknown) => cause)
    if (!isBackstopError(error, 'NOTIFICATION_FAILED')) throw new Error('not refused as expected', { cause: error })
    expect(error.message).toMatch(/^the topic alerts failed/)
    expect(error.message).toContain(advice)
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/DROP|appr_1/)
  })

  it('reaches the webhook while the topic fails, and each of them once in the end', async () => {
    const disarm = proxy.add({ ...sns, fault: { kind: 'throttle' } })
    const targets = [topic, ...webhooks]
    await expect(relayAlert(sampleAlert, targets, ports())).rejects.toMatchObject({
      code: 'NOTIFICATION_FAILED',
      message: expect.stringMatching(/^the alert alrt_1 is still to reach topic alerts: the topic alerts failed/),
    })
    expect(posted.map(({ id }) => id)).toEqual(['alrt_1'])
    disarm()
    expect(await relayAlert(sampleAlert, targets, ports())).toEqual({ delivered: ['topic alerts'], repeated: ['ops'] })
    expect(await relayAlert(sampleAlert, targets, ports())).toEqual({
      delivered: [],
      repeated: ['topic alerts', 'ops'],
    })
    expect(posted).toHaveLength(1)
    expect(await arrived()).toEqual(['alrt_1'])
  })

  it('reaches the topic while the webhook fails, and tries that again under one delivery id, signed', async () => {
    const targets = [topic, ...webhooks]
    hookStatus = 503
    for (let round = 0; round < 2; round++) {
      await expect(relayAlert(sampleAlert, targets, ports())).rejects.toMatchObject({
        message: 'the alert alrt_1 is still to reach ops: the webhook ops failed: it answered with status 503',
      })
    }
    hookStatus = 200
    expect(await relayAlert(sampleAlert, targets, ports())).toEqual({ delivered: ['ops'], repeated: ['topic alerts'] })
    expect(posted).toHaveLength(3)
    expect(new Set(posted.map(({ headers }) => headers['x-backstop-delivery'])).size).toBe(1)
    expect(posted[0]?.headers['x-backstop-signature']).toMatch(/^v1=[0-9a-f]{64}$/)
    expect(await arrived()).toEqual(['alrt_1'])
  })

  it('tells nobody when it cannot know who has been told, and everybody once it can', async () => {
    let isDown = true
    const unreachable: RecordStore = {
      ...records,
      find: (key) => (isDown ? Promise.reject(new Error('down')) : records.find(key)),
      write: (write) => records.write(write),
    }
    const attempt = () => relayAlert(sampleAlert, [topic, ...webhooks], { records: unreachable, clock: systemClock })
    await expect(attempt()).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' })
    expect(posted).toEqual([])
    isDown = false
    expect((await attempt()).delivered).toEqual(['topic alerts', 'ops'])
  })

  it('takes a delivery that could not be written down for done', async () => {
    const readOnly: RecordStore = {
      ...records,
      find: (key) => records.find(key),
      write: () => Promise.reject(new Error('down')),
    }
    const report = await relayAlert(sampleAlert, webhooks, { records: readOnly, clock: systemClock })
    expect(report).toEqual({ delivered: ['ops'], repeated: [] })
  })

  it('refuses to relay to nobody', async () => {
    await expect(relayAlert(sampleAlert, [], ports())).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('ends an alert that stays undeliverable, and one that is none, in the dead-letter queue; others pass', async () => {
    const queue = await cloud.create({ isFifo: true, maxAttempts: 3 })
    const work = openSqsWorkQueue({ aws: cloud.aws, random: systemRandom, queues: { alert: queue.url } })
    const visibility = openSqsVisibility(cloud.aws, queue.url)
    const notifier = createQueueNotifier({ queue: work })
    const failing: AlertTarget = {
      name: 'picky',
      deliver: async ({ id }) => {
        if (id === 'alrt_bad') throw new Error('no')
      },
    }
    const handlers = { alert: createAlertHandler([failing, ...webhooks], ports()) }
    await notifier.notify({ ...sampleAlert, id: 'alrt_bad' })
    await sendRaw(cloud.sqs, queue.url, '{"kind":"alert","body":{"alert":{"id":"alrt_x"}}}', 'g')
    await notifier.notify({ ...sampleAlert, id: 'alrt_good' })
    const stages: string[] = []
    for (let round = 0; round < 4; round++) {
      const event = await pullBatch(cloud.sqs, queue)
      const { batchItemFailures } = await handleSqsBatch(event, handlers, {
        visibility,
        clock: systemClock,
        leaseS: 30,
        remainingMs: () => 60_000,
        retryDelayMs: () => 0,
        onFailure: ({ error }) => stages.push(isBackstopError(error) ? error.code : 'foreign'),
      })
      await acknowledge(cloud.sqs, queue, event, batchItemFailures)
    }
    expect(posted.map(({ id }) => id).sort()).toEqual(['alrt_bad', 'alrt_good'])
    expect(stages.sort()).toEqual([...Array(3).fill('NOTIFICATION_FAILED'), ...Array(3).fill('WORK_INVALID')])
    const dead = (await readAll(cloud.sqs, queue.deadUrl)).map((body) => JSON.parse(body).body.alert.id)
    expect(dead.sort()).toEqual(['alrt_bad', 'alrt_x'])
    work.close()
    visibility.close()
  })
})
