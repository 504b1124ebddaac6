/** Turns what a round reads into orders: unchanged points are confirmed, damaged ones set aside, the rest is ordered. */
import type { RelationName } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Failure } from '../failure.ts'
import { describeFailure } from '../failure.ts'
import { decodeManifest } from '../manifest/index.ts'
import { judgeHealth } from './health.ts'
import { inBatches } from './in-batches.ts'
import type { RoundFacts } from './look.ts'
import { readFacts } from './look.ts'
import type { CaptureOrder, CaptureReason, RoundPlan, RoundPolicy, RoundPorts } from './model.ts'
import { buildOrder } from './order.ts'
import type { PlannedTable } from './plan.ts'
import { isAllowed, planCaptures } from './plan.ts'
import { isLeaseLive } from './state.ts'

const DAMAGED = 'a part is missing or has another size'

/** The plan of a round, with everything but the copies done. */
export async function orderRound(ports: RoundPorts, policy: RoundPolicy): Promise<RoundPlan> {
  const facts = await readFacts(ports, (relation) => isAllowed(relation, policy.allowedTables))
  const { tables, points, states, stateMark } = facts
  const nowMs = ports.clock.nowMs()
  const isRunning = (relation: RelationName) => isLeaseLive(states.get(quoteRelation(relation)), nowMs)
  const plans = planCaptures(tables, points, policy, stateMark, nowMs, isRunning)
  const looked = await confirmAll(ports, plans, nowMs)
  const health = judgeHealth(tables, points, states, policy, nowMs)
  const orderFor = orderBy(facts, policy, nowMs)
  return {
    captures: [
      // Its table is without its newest point: nothing is more urgent.
      ...looked.damaged.map(({ relation }) => orderFor(relation, 'damaged')),
      ...plans.flatMap((plan) => (plan.action === 'capture' ? [orderFor(plan.relation, plan.because)] : [])),
    ],
    confirmed: looked.confirmed,
    kept: plans.flatMap(({ relation, ...plan }) =>
      plan.action === 'keep' ? [{ relation, reason: plan.because }] : [],
    ),
    quarantined: [...facts.quarantined, ...looked.damaged],
    failing: [...health.failing, ...looked.unconfirmed],
    overdue: health.overdue,
  }
}

function orderBy(facts: RoundFacts, policy: RoundPolicy, nowMs: number) {
  const oids = new Map(facts.tables.map(({ relation, oid }) => [quoteRelation(relation), oid]))
  return (relation: RelationName, because: CaptureReason): CaptureOrder => {
    const name = quoteRelation(relation)
    const basis = facts.points.get(name)?.point.snapshotId
    return buildOrder({ relation, oid: oids.get(name) ?? 0 }, because, basis, policy, nowMs)
  }
}

async function confirmAll(ports: RoundPorts, plans: readonly PlannedTable[], nowMs: number) {
  const points = plans.flatMap((plan) => (plan.action === 'confirm' ? [plan.point] : []))
  const outcomes = await inBatches(points, async (point) => ({ point, ...(await confirm(ports, point, nowMs)) }))
  return {
    confirmed: outcomes.flatMap(({ confirmed }) => (confirmed === undefined ? [] : [confirmed])),
    damaged: outcomes.flatMap(({ point, damage }) =>
      damage === undefined ? [] : [{ snapshotId: point.snapshotId, relation: point.relation, reason: damage }],
    ),
    unconfirmed: outcomes.flatMap(({ point, failure }) =>
      failure === undefined ? [] : [{ relation: point.relation, ...failure }],
    ),
  }
}

/** One of the three. */
interface Confirmation {
  readonly confirmed?: RecoveryPoint
  readonly damage?: string
  readonly failure?: Failure
}

/** The parts have to be where they were: a point whose objects are gone is not fresh, whatever the table does. */
async function confirm(ports: RoundPorts, point: RecoveryPoint, nowMs: number): Promise<Confirmation> {
  try {
    const { manifest } = decodeManifest(await ports.objects.read(point.manifestKey), point.manifestSha256)
    for (const part of manifest.parts) {
      const found = await ports.objects.find(part.key)
      if (found?.sizeBytes === part.sizeBytes) continue
      await ports.catalog.quarantine(point.snapshotId, DAMAGED, instantFrom(nowMs))
      return { damage: DAMAGED }
    }
    return { confirmed: await ports.catalog.confirm(point.snapshotId, instantFrom(nowMs)) }
  } catch (error) {
    if (isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
    return { failure: describeFailure(error) }
  }
}
