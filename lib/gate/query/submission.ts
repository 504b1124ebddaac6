/** One request on its way through the gate: what is known of it so far. */
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Assessment } from '../assess/index.ts'
import type { Classification, ClassifiedStatement } from '../classify/index.ts'
import type { ActivePolicy, DecisionFacts, RecoveryPlan, Verdict } from '../policy/index.ts'
import type { Principal, QueryRequest } from './model.ts'

export interface Submission {
  readonly principal: Principal
  readonly request: QueryRequest
  readonly classification: Classification
  /** The policy that the whole request is judged by, whatever changes meanwhile. */
  readonly active: ActivePolicy
}

/** A submission that the database has been asked about, and the verdict on it. */
export interface Judged extends Submission {
  readonly statement: ClassifiedStatement
  readonly assessment: Assessment
  readonly facts: DecisionFacts
  readonly plan: RecoveryPlan
  readonly verdict: Verdict
}

/** Points that cover what the plan asks for. */
export type Readiness =
  | { readonly ok: true; readonly points: readonly RecoveryPoint[] }
  | { readonly ok: false; readonly reason: string }
