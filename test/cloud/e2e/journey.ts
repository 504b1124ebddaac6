/** The journey of `npm run demo`, through the API, the authorizer, the functions and the queues of a deployment. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { checkClaims } from '#lib/cli/demo/claim.ts'
import { STEPS } from '#lib/cli/demo/steps.ts'
import { request } from '#lib/cli/gateway/index.ts'
import { SHOP_TABLES } from '#lib/cli/shop/index.ts'
import { type CloudWorld, openCloudWorld } from '#test/support/cloud/world.ts'
import { eventually } from '#test/support/eventually.ts'

const SCHEDULE_MS = 60_000

export const journey = () =>
  describe('the journey on a deployment', () => {
    let opened: CloudWorld
    beforeAll(() => {
      opened = openCloudWorld(inject('deployed'), inject('deployedOn'))
    })
    afterAll(() => opened.close())

    it('captures every table by itself: the schedule fires, the plan goes over the queue to the workers', async () => {
      const { ops } = opened.world
      await eventually(
        async () => {
          const points = await request<readonly unknown[]>(ops, 'GET', '/metadata/snapshots')
          return points.length >= SHOP_TABLES.length
        },
        { timeoutMs: 4 * SCHEDULE_MS, everyMs: 500, what: 'a recovery point of every table' },
      )
    })

    it.each(STEPS.map((step) => [step.title, step] as const))('%s', async (_, step) => {
      const { claims } = await step.run(opened.world)
      expect(claims.length).toBeGreaterThan(0)
      for (const claim of await checkClaims(claims, opened.world.ask))
        expect(claim, JSON.stringify(claim)).toMatchObject({ ok: true })
    })
  })
