/** Bad days of Secrets Manager: an old value serves for a bounded time, and a refusal counts at once. */
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { openSecretsManagerSecrets, type SecretsManagerOptions } from '#lib/adapters/aws/index.ts'
import { type FaultProxy, startFaultProxy } from '#test/support/cloud/fault-proxy.ts'
import { openTestSecrets } from '#test/support/cloud/secrets.ts'
import { createFixedClock, type FixedClock } from '#test/support/fixed-clock.ts'

const MINUTE_MS = 60_000
const NAME = 'backstop/db'
const DOWN = { kind: 'error', status: 500, name: 'InternalServiceError' } as const

let cloud: ReturnType<typeof openTestSecrets>
let proxy: FaultProxy
let clock: FixedClock
beforeAll(async () => {
  proxy = await startFaultProxy({ upstream: inject('cloudEndpoint') })
})
afterAll(() => proxy.close())
beforeEach(async () => {
  proxy.clear()
  clock = createFixedClock()
  cloud = openTestSecrets(inject('cloudEndpoint'))
  await cloud.set(NAME, 'old')
})

const open = (more: Partial<SecretsManagerOptions> = {}) =>
  openSecretsManagerSecrets({ aws: { ...cloud.aws, endpoint: proxy.endpoint, attempts: 2 }, clock, ...more })
const unreachable = { code: 'SECRETS_UNREACHABLE' }

describe('a value that is kept', () => {
  it('is asked for once in five minutes, however many want it', async () => {
    const secrets = open()
    await Promise.all(Array.from({ length: 20 }, () => secrets.get(NAME)))
    clock.advance(5 * MINUTE_MS - 1)
    await secrets.get(NAME)
    expect(proxy.calls).toHaveLength(1)
    clock.advance(1)
    await secrets.get(NAME)
    expect(proxy.calls).toHaveLength(2)
  })

  it('serves while Secrets Manager is down, until it is fifteen minutes old', async () => {
    const secrets = open()
    await secrets.get(NAME)
    proxy.add({ fault: DOWN })
    clock.advance(5 * MINUTE_MS)
    expect(await secrets.get(NAME)).toBe('old')
    clock.advance(10 * MINUTE_MS - 1)
    expect(await secrets.get(NAME)).toBe('old')
    clock.advance(1)
    await expect(secrets.get(NAME)).rejects.toMatchObject(unreachable)
  })

  it('does not make everybody wait for an answer that does not come', async () => {
    const secrets = open()
    await secrets.get(NAME)
    proxy.add({ fault: DOWN })
    clock.advance(5 * MINUTE_MS)
    await secrets.get(NAME)
    const asked = proxy.calls.length
    for (let n = 0; n < 9; n++) {
      clock.advance(1_000)
      expect(await secrets.get(NAME)).toBe('old')
    }
    expect(proxy.calls).toHaveLength(asked)
    clock.advance(1_000)
    await secrets.get(NAME)
    expect(proxy.calls.length).toBeGreaterThan(asked)
  })

  it('gives way to the new one as soon as Secrets Manager answers again', async () => {
    const secrets = open()
    await secrets.get(NAME)
    const end = proxy.add({ fault: DOWN })
    clock.advance(5 * MINUTE_MS)
    await secrets.get(NAME)
    await cloud.set(NAME, 'new')
    end()
    clock.advance(10_000)
    expect(await secrets.get(NAME)).toBe('new')
  })

  it.each([
    ['denied', { kind: 'error', status: 400, name: 'AccessDeniedException' }],
    ['not decrypted', { kind: 'error', status: 400, name: 'DecryptionFailure' }],
  ] as const)('does not outlive its time when reading it is %s: that is no outage', async (_, fault) => {
    const secrets = open()
    await secrets.get(NAME)
    proxy.add({ fault })
    clock.advance(5 * MINUTE_MS)
    await expect(secrets.get(NAME)).rejects.toMatchObject(unreachable)
  })

  it('does not outlive its time when nothing is to be cached', async () => {
    const secrets = open({ cacheMs: 0 })
    await secrets.get(NAME)
    proxy.add({ fault: DOWN })
    await expect(secrets.get(NAME)).rejects.toMatchObject(unreachable)
  })
})

describe('a value that was rotated', () => {
  it('is asked for anew when the old one was refused where it was used', async () => {
    const secrets = open()
    await secrets.get(NAME)
    await cloud.set(NAME, 'new')
    expect(await secrets.get(NAME)).toBe('old')
    secrets.forget(NAME)
    expect(await secrets.get(NAME)).toBe('new')
  })

  it('is asked for at most once a second, when every value is refused', async () => {
    const secrets = open()
    for (let n = 0; n < 50; n++) {
      await secrets.get(NAME)
      secrets.forget(`${NAME}#password`)
    }
    expect(proxy.calls).toHaveLength(2)
    clock.advance(1_000)
    secrets.forget(NAME)
    await secrets.get(NAME)
    expect(proxy.calls).toHaveLength(3)
  })

  it('is not replaced by the refused one when Secrets Manager is down', async () => {
    const secrets = open()
    await secrets.get(NAME)
    proxy.add({ fault: DOWN })
    secrets.forget(NAME)
    await expect(secrets.get(NAME)).rejects.toMatchObject(unreachable)
  })

  it('wins over the answer that was under way when the old one was refused', async () => {
    const secrets = open()
    proxy.add({ on: [1], fault: { kind: 'delay', delayMs: 300 } })
    const slow = secrets.get(NAME)
    await expect.poll(() => proxy.answeredCount).toBe(1)
    await cloud.set(NAME, 'new')
    secrets.forget(NAME)
    expect(await secrets.get(NAME)).toBe('new')
    expect(await slow).toBe('old')
    expect(await secrets.get(NAME)).toBe('new')
  })
})

it.each([
  ['throttled', { kind: 'throttle' }],
  ['reset', { kind: 'reset-before' }],
  ['broken off in the answer', { kind: 'truncate' }],
] as const)('a call that is %s once is made again', async (_, fault) => {
  proxy.add({ on: [1], fault })
  expect(await open().get(NAME)).toBe('old')
  expect(proxy.calls).toHaveLength(2)
})

it.each([60, 600])(
  'no value shows in an error, nor in what it carries along (answer broken off at %i bytes)',
  async (keepBytes) => {
    await cloud.set(NAME, 'hidden-word '.repeat(100))
    const secrets = open()
    await secrets.get(NAME)
    proxy.add({ fault: { kind: 'truncate', keepBytes } })
    clock.advance(60 * MINUTE_MS)
    const error = await secrets.get(NAME).then(
      () => expect.unreachable(),
      (thrown: Error) => thrown,
    )
    expect(error).toMatchObject(unreachable)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('hidden-word')
  },
)
