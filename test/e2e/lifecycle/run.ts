/**
 * The life of a table against a product that this starts and stops itself, on the embedded defaults.
 *
 * `npm run e2e`, or `npm run e2e -- --json` for the report as JSON. Exit code 0 only when every step was right.
 */
import process from 'node:process'
import { type JourneyReport, renderStep, runJourney } from './model.ts'
import { Shop } from './shop.ts'
import { lifecycleSteps } from './steps.ts'

const isJson = process.argv.includes('--json')
const say = (text: string) => {
  if (!isJson) process.stdout.write(`${text}\n`)
}

async function run(): Promise<JourneyReport> {
  say('Starting the product on an embedded PostgreSQL …')
  const shop = await Shop.start()
  try {
    return await runJourney('backstop-lifecycle', lifecycleSteps(shop), (step) => say(renderStep(step)))
  } finally {
    await shop.stop()
  }
}

const report = await run()
if (isJson) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
else say(report.ok ? `\nAll ${report.steps.length} steps are right.` : '\nNot every step is right.')
process.exitCode = report.ok ? 0 : 1
