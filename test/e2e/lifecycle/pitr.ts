/**
 * Recovery to a point in time with real servers that this starts, kills and removes.
 *
 * `npm run e2e:pitr`, or `npm run e2e:pitr -- --json` for the report as JSON. Exit code 0 only when every step was right.
 */
import { runAndTell } from './model.ts'
import { PitrWorld } from './pitr-steps.ts'

await runAndTell('backstop-pitr', { drill: 'pitr-e2e' }, async () => {
  const world = new PitrWorld()
  return { steps: world.steps(), close: () => world.close() }
})
