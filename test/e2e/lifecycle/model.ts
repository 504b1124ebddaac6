/** A journey through a running product: its steps, and the report that they leave. */

import process from 'node:process'

interface JourneyStep {
  readonly name: string
  readonly status: 'ok' | 'failed' | 'skipped'
  readonly detail: string
  readonly at: string
}

interface JourneyReport {
  readonly ok: boolean
  readonly project: string
  readonly started_at: string
  readonly steps: readonly JourneyStep[]
  readonly finished_at: string
}

/** A step: what it saw, in words. Throws when it saw something else. */
export type Step = readonly [name: string, run: () => Promise<string>]

/** Thrown by a step that could not look: it is counted as skipped, never as right. */
export class Unlooked extends Error {}

/** After a step that failed the others are skipped: what they would see proves nothing. */
async function runJourney(
  project: string,
  steps: readonly Step[],
  onStep: (step: JourneyStep) => void,
): Promise<JourneyReport> {
  const started_at = new Date().toISOString()
  const done: JourneyStep[] = []
  for (const [name, run] of steps) {
    const step = await runStep(name, run, done)
    done.push(step)
    onStep(step)
  }
  const ok = done.some(({ status }) => status === 'ok') && done.every(({ status }) => status !== 'failed')
  return { ok, project, started_at, steps: done, finished_at: new Date().toISOString() }
}

async function runStep(name: string, run: () => Promise<string>, before: readonly JourneyStep[]): Promise<JourneyStep> {
  const failed = before.find(({ status }) => status === 'failed')
  const at = new Date().toISOString()
  if (failed !== undefined) return { name, status: 'skipped', detail: `${failed.name} failed before`, at }
  try {
    return { name, status: 'ok', detail: await run(), at }
  } catch (error) {
    if (error instanceof Unlooked) return { name, status: 'skipped', detail: error.message, at }
    return { name, status: 'failed', detail: error instanceof Error ? error.message : String(error), at }
  }
}

function renderStep({ name, status, detail }: JourneyStep): string {
  return `${status.padEnd(8)}${name.padEnd(30)}${detail}`
}

function conclude({ ok, steps }: JourneyReport): string {
  if (!ok) return 'Not every step is right.'
  const skipped = steps.filter(({ status }) => status === 'skipped').map(({ name }) => name)
  if (skipped.length === 0) return `All ${steps.length} steps are right.`
  return `${steps.length - skipped.length} of ${steps.length} steps are right, and these could not look: ${skipped.join(', ')}.`
}

interface Journey {
  readonly steps: readonly Step[]
  close(): Promise<void>
}

/** Steps as they end, or with --json the report; the exit code is set. */
export async function runAndTell(project: string, facts: object, open: () => Promise<Journey>): Promise<void> {
  const isJson = process.argv.includes('--json')
  const say = (text: string) => {
    if (!isJson) process.stdout.write(`${text}\n`)
  }
  say(`${project}: starting …`)
  const journey = await open()
  try {
    const report = await runJourney(project, journey.steps, (step) => say(renderStep(step)))
    if (isJson) process.stdout.write(`${JSON.stringify({ ...report, ...facts }, null, 2)}\n`)
    else say(`\n${conclude(report)}`)
    process.exitCode = report.ok ? 0 : 1
  } finally {
    await journey.close()
  }
}
