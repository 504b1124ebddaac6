/** Turns what a round reads into orders: unchanged points are confirmed, damaged ones set aside, the rest is ordered. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { describeFailure } from '../failure.ts'
import { decodeManifest } from '../manifest/index.ts'
import { judgeHealth } from './health.ts'
import type { RoundFacts } from './look.ts'
import { readFacts } from './look.ts'
import type {
  CaptureOrder,
  CaptureReason,
  KeptTable,
  QuarantinedPoint,
  RoundFailure,
  RoundPlan,
  RoundPolicy,
  RoundPorts,
} from './model.ts'
import { buildOrder } from './order.ts'
import { isAllowed, planCaptures } from './plan.ts'
import { isLeaseLive } from './state.ts'

const DAMAGED = 'a part is missing or has another size'

/** The plan of a round, with everything but the copies done. */
export async function orderRound(ports: RoundPorts, policy: RoundPolicy): Promise<RoundPlan> {
  const facts = await readFacts(ports, (relation) => isAllowed(relation, policy.allowedTables))
  const nowMs = ports.clock.nowMs()
  const captures: CaptureOrder[] = []
  const confirmed: RecoveryPoint[] = []
  const kept: KeptTable[] = []
  const quarantined: QuarantinedPoint[] = [...facts.quarantined]
  const unconfirmed: RoundFailure[] = []
  const isRunning = (relation: RelationName) => isLeaseLive(facts.states.get(quoteRelation(relation)), nowMs)
  for (const plan of planCaptures(facts.tables, facts.points, policy, facts.stateMark, nowMs, isRunning)) {
    const { relation } = plan
    if (plan.action === 'capture') captures.push(orderOf(facts, relation, plan.because, policy, nowMs))
    else if (plan.action === 'keep') kept.push({ relation, reason: plan.because })
    else {
      const outcome = await confirm(ports, plan.point, nowMs)
      if ('confirmed' in outcome) confirmed.push(outcome.confirmed)
      else if ('code' in outcome) unconfirmed.push({ relation, ...outcome })
      else {
        quarantined.push({ snapshotId: plan.point.snapshotId, relation, reason: outcome.reason })
        captures.push(orderOf(facts, relation, 'damaged', policy, nowMs))
      }
    }
  }
  const { failing, overdue } = judgeHealth(facts.tables, facts.points, facts.states, policy, nowMs)
  return { captures, confirmed, kept, quarantined, failing: [...failing, ...unconfirmed], overdue }
}

function orderOf(
  facts: RoundFacts,
  relation: RelationName,
  because: CaptureReason,
  policy: RoundPolicy,
  nowMs: number,
) {
  const name = quoteRelation(relation)
  const oid = facts.tables.find((table) => quoteRelation(table.relation) === name)?.oid ?? 0
  const basis: SnapshotId | undefined = facts.points.get(name)?.point.snapshotId
  return buildOrder({ relation, oid }, because, basis, policy, nowMs)
}

type Confirmation =
  | { readonly confirmed: RecoveryPoint }
  | { readonly reason: string }
  | { readonly code: string; readonly reason: string }

/** The parts have to be where they were: a point whose objects are gone is not fresh, whatever the table does. */
async function confirm(ports: RoundPorts, point: RecoveryPoint, nowMs: number): Promise<Confirmation> {
  try {
    const { manifest } = decodeManifest(await ports.objects.read(point.manifestKey), point.manifestSha256)
    for (const part of manifest.parts) {
      const found = await ports.objects.find(part.key)
      if (found?.sizeBytes === part.sizeBytes) continue
      await ports.catalog.quarantine(point.snapshotId, DAMAGED)
      return { reason: DAMAGED }
    }
    return { confirmed: await ports.catalog.confirm(point.snapshotId, instantFrom(nowMs)) }
  } catch (error) {
    if (isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
    return describeFailure(error)
  }
}
