/** Keeps the course of a drill: its steps with their times, what was checked and what was skipped. */
import type { Clock } from '#lib/ports/index.ts'
import type { Failure } from '../failure.ts'
import { describeFailure } from '../failure.ts'
import type { DrillStep, Finding } from './model.ts'

/** A step that failed, and the drill with it; what went wrong is in the course already. */
export class StepFailed extends Error {}

/** Of a list that could grow with the number of tables, so many entries are kept. */
const MOST_FINDINGS = 200

export class Course {
  readonly steps: DrillStep[] = []
  readonly checked: string[] = []
  readonly differences: Finding[] = []
  readonly #skipped: Finding[] = []
  readonly #clock: Clock
  failure: Failure | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get skipped(): readonly Finding[] {
    const more = this.#skipped.length - MOST_FINDINGS
    const kept = this.#skipped.slice(0, MOST_FINDINGS)
    return more > 0 ? [...kept, { subject: `${more} more`, reason: 'left out of this list' }] : kept
  }

  skip(findings: readonly Finding[]): void {
    this.#skipped.push(...findings)
  }

  /** The first failure is the drill's; undefined comes back for a step that failed. */
  async take<T>(name: string, work: () => Promise<T>, detailOf: (result: T) => string): Promise<T | undefined> {
    const startedAtMs = this.#clock.monotonicMs()
    const durationMs = () => Math.round(this.#clock.monotonicMs() - startedAtMs)
    try {
      const result = await work()
      this.steps.push({ name, status: 'ok', durationMs: durationMs(), detail: detailOf(result) })
      return result
    } catch (error) {
      const failure = describeFailure(error)
      this.failure ??= failure
      this.steps.push({
        name,
        status: 'failed',
        durationMs: durationMs(),
        detail: `${failure.code}: ${failure.reason}`,
      })
      return undefined
    }
  }

  /** Like `take`, for a step without which the drill cannot go on. Throws StepFailed. */
  async must<T>(name: string, work: () => Promise<T>, detailOf: (result: T) => string): Promise<T> {
    const done = await this.take(
      name,
      async () => ({ result: await work() }),
      ({ result }) => detailOf(result),
    )
    if (done === undefined) throw new StepFailed(name)
    return done.result
  }
}
