/** Tokens in place of a database password. */
import { expect, it } from 'vitest'
import { openRdsTokens } from '#lib/adapters/aws/index.ts'
import { MINUTE_MS } from '#lib/kernel/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-that-shows-nowhere' }
const at = { host: 'db.example.com', port: 5_432, user: 'gateway', aws: { region: 'eu-central-1', credentials } }

it('is signed for host, port and user, and is good for a quarter of an hour', async () => {
  const token = await openRdsTokens({ ...at, clock: createFixedClock() }).get()
  const url = new URL(`https://${token}`)
  expect(url.host).toBe('db.example.com:5432')
  expect(url.searchParams.get('Action')).toBe('connect')
  expect(url.searchParams.get('DBUser')).toBe('gateway')
  expect(url.searchParams.get('X-Amz-Expires')).toBe('900')
  expect(url.searchParams.get('X-Amz-Credential')).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-central-1\/rds-db\/aws4_request$/)
  expect(token).not.toContain('secret')
})

it('is made anew after ten minutes, and when the clock went back', async () => {
  const clock = createFixedClock()
  const tokens = openRdsTokens({ ...at, clock })
  const first = await tokens.get()
  clock.advance(10 * MINUTE_MS - 1)
  expect(await tokens.get()).toBe(first)
  // The signer takes the time from the system: only a second later is a new token another one.
  await expect
    .poll(
      async () => {
        clock.advance(10 * MINUTE_MS)
        return (await tokens.get()) !== first
      },
      { interval: 200 },
    )
    .toBe(true)
})
