/** Turns what a round reads into orders: unchanged points are confirmed, damaged ones set aside, the rest is ordered. */
import type { RelationName } from '#lib/kernel/index.ts'
import { instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { enterUnnoted } from '../catalog/index.ts'
import type { Failure } from '../failure.ts'
import { describeFailure } from '../failure.ts'
import { judgeHealth } from './health.ts'
import { inBatches } from './in-batches.ts'
import type { RoundFacts } from './look.ts'
import { readFacts } from './look.ts'
import type { CaptureOrder, CaptureReason, RoundPlan, RoundPolicy, RoundPorts } from './model.ts'
import { buildOrder } from './order.ts'
import type { PlannedTable } from './plan.ts'
import { isAllowed, planCaptures } from './plan.ts'
import { DAMAGED, readWhole } from './read-whole.ts'
import type { SequenceValues } from './sequences.ts'
import { haveMoved, readSequences } from './sequences.ts'
import { isLeaseLive } from './state.ts'

/** The plan of a round, with everything but the copies done. */
export async function orderRound(ports: RoundPorts, policy: RoundPolicy): Promise<RoundPlan> {
  const regained = await enterUnnoted(ports)
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
      ...looked.moved.map((relation) => orderFor(relation, 'changed')),
    ],
    confirmed: looked.confirmed,
    regained,
    kept: plans.flatMap(({ relation, ...plan }) =>
      plan.action === 'keep' ? [{ relation, reason: plan.because }] : [],
    ),
    quarantined: [...facts.quarantined, ...looked.damaged],
    failing: [...health.failing, ...looked.unconfirmed],
    overdue: health.overdue,
  }
}

function orderBy(facts: RoundFacts, policy: RoundPolicy, nowMs: number) {
  const tables = new Map(facts.tables.map((table) => [quoteRelation(table.relation), table]))
  return (relation: RelationName, because: CaptureReason): CaptureOrder => {
    const name = quoteRelation(relation)
    const basis = facts.points.get(name)?.point.snapshotId
    return buildOrder(tables.get(name) ?? { relation, oid: 0 }, because, basis, policy, nowMs)
  }
}

async function confirmAll(ports: RoundPorts, plans: readonly PlannedTable[], nowMs: number) {
  const points = plans.flatMap((plan) => (plan.action === 'confirm' ? [plan.point] : []))
  const sequences = points.length === 0 ? new Map() : await readSequences(ports.database)
  const outcomes = await inBatches(points, async (point) => ({
    point,
    ...(await confirm(ports, point, sequences, nowMs)),
  }))
  return {
    confirmed: outcomes.flatMap(({ confirmed }) => (confirmed === undefined ? [] : [confirmed])),
    damaged: outcomes.flatMap(({ point, damage }) =>
      damage === undefined ? [] : [{ snapshotId: point.snapshotId, relation: point.relation, reason: damage }],
    ),
    moved: outcomes.flatMap(({ point, hasMoved }) => (hasMoved === true ? [point.relation] : [])),
    unconfirmed: outcomes.flatMap(({ point, failure }) =>
      failure === undefined ? [] : [{ relation: point.relation, ...failure }],
    ),
  }
}

/** One of the four. */
export interface Confirmation {
  readonly confirmed?: RecoveryPoint
  readonly damage?: string
  readonly failure?: Failure
  /** One of its sequences was drawn from. */
  readonly hasMoved?: true
}

/** The parts have to be where they were: a point whose objects are gone is not fresh, whatever the table does. */
async function confirm(
  ports: RoundPorts,
  point: RecoveryPoint,
  sequences: SequenceValues,
  nowMs: number,
): Promise<Confirmation> {
  try {
    const manifest = await readWhole(ports, point, nowMs)
    if (manifest === undefined) return { damage: DAMAGED }
    if (haveMoved(manifest, sequences)) return { hasMoved: true }
    return { confirmed: await ports.catalog.confirm(point.snapshotId, instantFrom(nowMs)) }
  } catch (error) {
    if (isBackstopError(error, 'METADATA_UNREACHABLE')) throw error
    return { failure: describeFailure(error) }
  }
}
