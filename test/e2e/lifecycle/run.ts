/**
 * The life of a table against a product that this starts and stops itself, on the embedded defaults.
 *
 * `npm run e2e`, or `npm run e2e -- --json` for the report as JSON. Exit code 0 only when every step was right.
 */
import { runAndTell } from './model.ts'
import { Shop } from './shop.ts'
import { lifecycleSteps } from './steps.ts'

await runAndTell('backstop-lifecycle', {}, async () => {
  const shop = await Shop.start()
  return { steps: lifecycleSteps(shop), close: () => shop.stop() }
})
