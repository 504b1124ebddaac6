/** Runs the steps of one drill, whatever it is of, and stores what came of it as evidence. */
import { ID_BYTES, type Instant, instantFrom, type JsonObject, newId, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock, Random } from '#lib/ports/index.ts'
import { Course, StepFailed } from './course.ts'
import type { EvidencePorts } from './evidence.ts'
import { storeEvidence } from './evidence.ts'
import type { DrillEvidence, DrillKind, StoredDrill } from './model.ts'
import { DRILL_FORMAT, DRILL_VERSION } from './model.ts'
import type { ScratchRules } from './scratch-store.ts'

export interface AttemptPorts extends EvidencePorts, ScratchRules {
  readonly clock: Clock
  readonly random: Random
}

export interface DrillHead {
  readonly kind: DrillKind
  readonly database?: string
  readonly clusterId?: string
}

/** What the steps of a drill find out, besides the course itself. */
export class Attempt {
  readonly drillId: string
  readonly startedAt: Instant
  readonly course: Course
  readonly facts: Record<string, JsonObject[string]> = {}
  readonly #clock: Clock
  /** Set when all that the drill is for was seen; without it nothing is proven. */
  isProven = false
  database: string | undefined
  rowCount: number | null = null
  sizeBytes: number | null = null
  rtoSeconds: number | null = null
  rpoSeconds: number | null = null

  constructor({ clock, random }: Pick<AttemptPorts, 'clock' | 'random'>) {
    this.#clock = clock
    this.drillId = newId('drill', random.bytes(ID_BYTES))
    this.startedAt = instantFrom(clock.nowMs())
    this.course = new Course(clock)
  }

  skip(subject: string, reason: string): void {
    this.course.skip([{ subject, reason }])
  }

  /** Seconds that the work took, to be read when it is over. */
  stopwatch(): () => number {
    const fromMs = this.#clock.monotonicMs()
    return () => (this.#clock.monotonicMs() - fromMs) / SECOND_MS
  }

  /** How long before the drill that was. A clock that was set back makes nothing younger than nothing. */
  ageSeconds(atMs: number): number {
    return Math.max(0, (Date.parse(this.startedAt) - atMs) / SECOND_MS)
  }
}

/**
 * What goes wrong is in the evidence.
 *
 * Throws: METADATA_UNREACHABLE: then there is nowhere to keep it; defects
 */
export async function runAttempt(
  ports: AttemptPorts,
  head: DrillHead,
  steps: (attempt: Attempt) => Promise<void>,
): Promise<StoredDrill> {
  const attempt = new Attempt(ports)
  try {
    await steps(attempt)
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error
  }
  return await storeEvidence(ports, evidenceOf(attempt, head, instantFrom(ports.clock.nowMs())))
}

function evidenceOf(attempt: Attempt, head: DrillHead, finishedAt: Instant): DrillEvidence {
  const { course, drillId, startedAt, rowCount, sizeBytes, rtoSeconds, rpoSeconds, facts } = attempt
  return {
    format: DRILL_FORMAT,
    version: DRILL_VERSION,
    drillId,
    kind: head.kind,
    result: course.failure !== undefined ? 'failed' : attempt.isProven ? 'ok' : 'skipped',
    startedAt,
    finishedAt,
    database: attempt.database ?? head.database ?? 'none',
    clusterId: head.clusterId ?? null,
    relation: null,
    snapshotId: null,
    capturedAt: null,
    manifestSha256: null,
    rowCount,
    sizeBytes,
    rtoSeconds,
    rpoSeconds,
    steps: course.steps,
    checked: course.checked,
    skipped: [...course.skipped],
    differences: course.differences,
    failure: course.failure ?? null,
    facts,
  }
}

/** The evidence of a drill that cannot be run here at all: skipped, with the reason. Throws METADATA_UNREACHABLE. */
export async function noteUnrunnable(ports: AttemptPorts, head: DrillHead, reason: string): Promise<StoredDrill> {
  return await runAttempt(ports, head, async (attempt) => attempt.skip('the whole drill', reason))
}
