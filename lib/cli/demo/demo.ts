/** `backstop demo`: the main job, acted by an agent and an operator on an embedded product, each claim checked. */
import { defineCommand } from '../frame/index.ts'
import { Cancelled } from '../terminal/index.ts'
import { runSteps } from './run.ts'
import { stepBlocks, totalsBlocks, totalsOf } from './show.ts'
import { STEPS } from './steps.ts'
import { openWorld } from './world.ts'

export const demo = defineCommand({
  path: 'demo',
  summary: 'Show the main job on an embedded database, and check every claim',
  details:
    'Starts an embedded PostgreSQL with a shop, and Backstop in front of it; acts as an agent and as an operator over ' +
    'HTTP and the command line; compares what it prints with the database. Leaves nothing behind.',
  flags: {},
  json: 'one line a step, then claim_count, false_count, checked_by_database, duration_ms, steps[]',
  examples: [
    { does: 'Watch', line: 'backstop demo' },
    { does: 'Steps and checks for a program', line: 'backstop demo --json' },
  ],
  async run(_, context) {
    const startedMs = performance.now()
    const { world, close } = await openWorld(context.environment, context.signal)
    try {
      const steps = await runSteps(STEPS, world, async (step, index) => {
        if (!context.isJson) await context.show({}, stepBlocks(step, index))
      })
      const totals = totalsOf(steps, performance.now() - startedMs)
      return { ok: totals.ok, data: { ...totals, steps }, blocks: totalsBlocks(totals) }
    } catch (error) {
      throw context.signal.aborted ? new Cancelled() : error
    } finally {
      await close()
    }
  },
})
