import { expect, it } from 'vitest'
import { proveNoDamage } from '#test/support/hostile/statement-suite.ts'

it('every written attack leaves the whole server as it was, the gateway connecting as a superuser', async () => {
  await proveNoDamage('superuser')
  expect.hasAssertions()
})
