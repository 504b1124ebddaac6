/** The proxy itself: a test of bad days proves nothing when the day was fine. */
import { createServer, type Server } from 'node:http'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { awsClientConfig, classifyAwsError } from '#lib/adapters/aws/index.ts'
import type { FaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { startFaultProxy } from '#test/support/cloud/fault-proxy.ts'

let upstream: Server
let seen: { method: string; url: string; body: string }[]
let proxy: FaultProxy

beforeEach(async () => {
  seen = []
  upstream = createServer(async (incoming, outgoing) => {
    let body = ''
    for await (const chunk of incoming) body += chunk
    seen.push({ method: incoming.method ?? '', url: incoming.url ?? '', body })
    const headers = { 'content-type': 'application/json', 'content-length': '14', 'x-kept': 'yes' }
    outgoing.writeHead(200, headers).end('{"whole":true}')
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => upstream.once('listening', resolve))
  const { port } = upstream.address() as { port: number }
  proxy = await startFaultProxy({ upstream: `http://127.0.0.1:${port}`, seed: 7 })
})
afterEach(async () => {
  await proxy.close()
  upstream.closeAllConnections()
  upstream.close()
})

const call = (path = '/a?b=1') => fetch(`${proxy.endpoint}${path}`, { method: 'POST', body: 'hello' })
const text = async (path?: string) => (await call(path)).text()

describe('the fault proxy', () => {
  it('passes a call that no rule falls on', async () => {
    const answer = await call()
    expect([answer.status, answer.headers.get('x-kept'), await answer.text()]).toEqual([200, 'yes', '{"whole":true}'])
    expect(seen).toEqual([{ method: 'POST', url: '/a?b=1', body: 'hello' }])
    expect(proxy.calls).toEqual([{ service: 'unknown', operation: 'POST /a?b=1' }])
  })

  it('breaks the connection before the service has seen the request', async () => {
    proxy.add({ fault: { kind: 'reset-before' } })
    await expect(call()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(seen).toHaveLength(0)
  })

  it('breaks the connection after the service has handled the request', async () => {
    proxy.add({ fault: { kind: 'reset-after' } })
    await expect(call()).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    expect(seen).toHaveLength(1)
  })

  it('breaks an answer off in the middle', async () => {
    proxy.add({ fault: { kind: 'truncate', keepBytes: 4 } })
    const answer = await call()
    expect(answer.status).toBe(200)
    await expect(answer.text()).rejects.toThrow()
    expect(seen).toHaveLength(1)
  })

  it.each(['hang', 'stall'] as const)('lets a client wait for ever: %s', async (kind) => {
    proxy.add({ fault: { kind } })
    const given = new AbortController()
    let isOver = false
    const wait = fetch(proxy.endpoint, { signal: given.signal }).then((answer) => answer.text())
    const ended = wait.finally(() => {
      isOver = true
    })
    ended.catch(() => undefined)
    await expect.poll(() => [proxy.calls.length, seen.length]).toEqual([1, kind === 'hang' ? 0 : 1])
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(isOver).toBe(false)
    given.abort()
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' })
    expect(seen).toHaveLength(kind === 'hang' ? 0 : 1)
  })

  it('delays an answer that the other side has given', async () => {
    proxy.add({ on: [1], fault: { kind: 'delay', delayMs: 1_000 } })
    const order: string[] = []
    const answer = text().then((content) => {
      order.push('answer')
      return content
    })
    await expect.poll(() => proxy.answeredCount, { timeout: 5_000 }).toBe(1)
    order.push('answered by the other side')
    expect(await answer).toBe('{"whole":true}')
    expect(order).toEqual(['answered by the other side', 'answer'])
  })

  it('delays a request that the other side has not seen yet', async () => {
    proxy.add({ on: [1], fault: { kind: 'delay-before', delayMs: 1_000 } })
    const answer = text()
    await expect.poll(() => proxy.calls.length, { timeout: 5_000 }).toBe(1)
    expect(seen).toHaveLength(0)
    expect(await answer).toBe('{"whole":true}')
    expect(seen).toHaveLength(1)
  })

  it('holds a request back until it is told', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    proxy.add({ on: [1], fault: { kind: 'hold', until: promise } })
    const answer = text()
    await expect.poll(() => proxy.calls.length).toBe(1)
    expect(await text()).toBe('{"whole":true}')
    expect(seen).toHaveLength(1)
    resolve()
    expect(await answer).toBe('{"whole":true}')
    expect(seen).toHaveLength(2)
  })

  it('falls on the calls that a rule counts, and on no other', async () => {
    proxy.add({ operation: /\/x$/, on: [2], fault: { kind: 'error', status: 500, name: 'Boom' } })
    const statuses = []
    for (const path of ['/x', '/y', '/x', '/x']) statuses.push((await call(path)).status)
    expect(statuses).toEqual([200, 200, 500, 200])
    expect(proxy.calls.map(({ fault }) => fault)).toEqual([undefined, undefined, 'error', undefined])
  })

  it('falls by chance the same way for the same seed', async () => {
    const draw = async () => {
      const other = await startFaultProxy({ upstream: proxy.endpoint, seed: 42 })
      other.add({ probability: 0.5, fault: { kind: 'error', status: 503, name: 'Boom' } })
      const statuses: number[] = []
      for (let n = 0; n < 24; n++) statuses.push((await fetch(other.endpoint)).status)
      await other.close()
      return statuses
    }
    const first = await draw()
    expect(new Set(first)).toEqual(new Set([200, 503]))
    expect(await draw()).toEqual(first)
  })

  it('ends a rule when it is removed, and all when cleared', async () => {
    const remove = proxy.add({ fault: { kind: 'error', status: 500, name: 'Boom' } })
    expect((await call()).status).toBe(500)
    remove()
    expect((await call()).status).toBe(200)
    proxy.add({ fault: { kind: 'error', status: 500, name: 'Boom' } })
    proxy.clear()
    expect((await call()).status).toBe(200)
    expect(proxy.calls).toHaveLength(1)
  })
})

describe('calls of the SDK through the fault proxy', () => {
  const settings = () =>
    awsClientConfig({
      region: 'eu-central-1',
      endpoint: proxy.endpoint,
      credentials: { accessKeyId: '123456789012', secretAccessKey: 'x' },
      attempts: 1,
    })
  const key = { Bucket: 'bucket', Key: 'folder/key' }
  const calls: readonly [string, string, () => Promise<unknown>][] = [
    [
      'dynamodb',
      'GetItem',
      () => new DynamoDBClient(settings()).send(new GetItemCommand({ TableName: 't', Key: { pk: { S: 'a' } } })),
    ],
    [
      'sqs',
      'SendMessage',
      () =>
        new SQSClient(settings()).send(new SendMessageCommand({ QueueUrl: `${proxy.endpoint}/1/q`, MessageBody: 'a' })),
    ],
    ['sns', 'Publish', () => new SNSClient(settings()).send(new PublishCommand({ TopicArn: 'arn:x', Message: 'a' }))],
    [
      'kms',
      'Encrypt',
      () => new KMSClient(settings()).send(new EncryptCommand({ KeyId: 'k', Plaintext: Buffer.from('a') })),
    ],
    [
      'secretsmanager',
      'GetSecretValue',
      () => new SecretsManagerClient(settings()).send(new GetSecretValueCommand({ SecretId: 's' })),
    ],
    [
      's3',
      'PUT /bucket/folder/key?x-id=PutObject',
      () => new S3Client({ ...settings(), forcePathStyle: true }).send(new PutObjectCommand({ ...key, Body: 'a' })),
    ],
  ]

  it.each(calls)('are told apart and throttled as %s throttles', async (service, operation, send) => {
    proxy.add({ service, operation, fault: { kind: 'throttle' } })
    const failure = await send().then(
      () => undefined,
      (error: unknown) => classifyAwsError(error),
    )
    expect(proxy.calls).toEqual([{ service, operation, fault: 'throttle' }])
    expect(failure?.kind).toBe('throttled')
    expect(seen).toHaveLength(0)
  })

  it.each(calls)('fail as %s fails', async (service, _, send) => {
    proxy.add({ service, fault: { kind: 'error', status: 500, name: 'InternalFailure' } })
    await expect(send()).rejects.toSatisfy((error) => classifyAwsError(error).kind === 'failing')
  })

  it('keep the length that the answer to a HEAD announces', async () => {
    const client = new S3Client({ ...settings(), forcePathStyle: true })
    expect((await client.send(new HeadObjectCommand(key))).ContentLength).toBe(14)
    expect(proxy.calls).toEqual([{ service: 's3', operation: 'HEAD /bucket/folder/key' }])
  })
})
