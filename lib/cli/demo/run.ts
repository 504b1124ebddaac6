/** Runs the steps one after the other and checks what each one says. */
import type { AskDatabase, CheckedClaim } from './claim.ts'
import { checkClaims } from './claim.ts'
import type { CheckedStep, DemoStep, DemoWorld, StepReport } from './model.ts'

/** A step that fails is a false claim, not the end of the report. */
async function attempt(step: DemoStep, world: DemoWorld): Promise<StepReport> {
  try {
    return await step.run(world)
  } catch (error) {
    if (world.signal.aborted) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return {
      input: '',
      answer: '',
      claims: [{ kind: 'answer', says: 'the step can be run', equals: 'done', found: reason }],
    }
  }
}

async function check(claims: StepReport['claims'], ask: AskDatabase): Promise<readonly CheckedClaim[]> {
  if (claims.length > 0) return await checkClaims(claims, ask)
  return [{ says: 'the step claims something', ok: false, checked_by: 'answer', expected: 'a claim', actual: 'none' }]
}

/**
 * Run all steps.
 *
 * Invariants: every claim is checked after its step has ended; a step without a claim counts as false
 * Effects:    those of the steps; `onStep` sees each one as soon as it is checked
 * Throws:     whatever a step throws once the signal is aborted
 */
export async function runSteps(
  steps: readonly DemoStep[],
  world: DemoWorld,
  onStep: (step: CheckedStep, index: number) => Promise<void>,
): Promise<readonly CheckedStep[]> {
  const done: CheckedStep[] = []
  for (const [index, step] of steps.entries()) {
    world.signal.throwIfAborted()
    const startedMs = performance.now()
    const { claims, ...report } = await attempt(step, world)
    const durationMs = Math.round(performance.now() - startedMs)
    const checked = await check(claims, world.ask)
    const { id, title, actor } = step
    const ok = checked.every((claim) => claim.ok)
    const result = { id, title, actor, ...report, ok, duration_ms: durationMs, claims: checked }
    done.push(result)
    await onStep(result, index)
  }
  return done
}
