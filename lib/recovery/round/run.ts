/** Rounds of background capture: as a plan whose copies others make, or with the copies made in line. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, instantFrom, isBackstopError, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { findHeartbeat, writeHeartbeat } from '../catalog/index.ts'
import type { StopOptions } from '../stoppable.ts'
import { captureOne } from './capture-one.ts'
import { orderRound } from './confirm.ts'
import type { KeptTable, RoundFailure, RoundPlan, RoundPolicy, RoundPorts, RoundReport } from './model.ts'

/** Well below the 120 seconds after which the gate calls the heartbeat stale. */
const HEARTBEAT_EVERY_MS = 10_000
const MAX_DETAIL_CHARACTERS = 1_000

/**
 * Everything of a round but the copies: confirms what is unchanged, sets aside what is damaged, orders the rest.
 *
 * Effects: the heartbeat, unhealthy while a table's last capture has failed in whatever process
 * Throws:  `DATABASE_UNREACHABLE`, `METADATA_UNREACHABLE`, `STORAGE_UNREACHABLE`; the heartbeat then says unhealthy, or goes stale
 */
export async function planRound(ports: RoundPorts, policy: RoundPolicy): Promise<RoundPlan> {
  return await withHeartbeat(ports, async () => {
    const plan = await ports.arrange(await orderRound(ports, policy), policy)
    const { failing, overdue } = plan
    return { result: plan, failing, overdue, detail: countsOf(`${plan.captures.length} ordered`, plan) }
  })
}

/**
 * Capture what needs it, one after the other. A table that fails is in the report and stops no other; what a stop cuts off or keeps
 * from its turn has not failed. Throws as `planRound` does.
 */
export async function runRound(ports: RoundPorts, policy: RoundPolicy, stop: StopOptions): Promise<RoundReport> {
  return await withHeartbeat(ports, async () => {
    const { captures, failing, ...plan } = await ports.arrange(await orderRound(ports, policy), policy)
    const isOrdered = (relation: RelationName) => captures.some((order) => isSame(order.relation, relation))
    const failingOf = (relation: RelationName) => failing.filter((failure) => isSame(failure.relation, relation))
    const captured: RecoveryPoint[] = []
    const confirmed: RecoveryPoint[] = [...plan.confirmed]
    const kept: KeptTable[] = [...plan.kept]
    const failed: RoundFailure[] = failing.filter(({ relation }) => !isOrdered(relation))
    for (const order of captures) {
      const outcome = isStopped(stop) ? undefined : await captureOne(ports, order, stop)
      if (outcome === undefined) kept.push({ relation: order.relation, reason: 'stopped' })
      else if (outcome.status === 'captured') captured.push(outcome.point, ...(outcome.others ?? []))
      else if (outcome.status === 'confirmed') confirmed.push(outcome.point)
      else if (outcome.status === 'failed' && outcome.failure.code === 'RUN_STOPPED') {
        kept.push({ relation: order.relation, reason: 'stopped' })
      } else if (outcome.status === 'failed') failed.push(outcome.failure)
      else if (outcome.status === 'fresh') kept.push({ relation: order.relation, reason: 'fresh' })
      else if (outcome.status === 'busy') {
        kept.push({ relation: order.relation, reason: 'being-captured' })
        // What was wrong is not over because another process tries.
        failed.push(...failingOf(order.relation))
      }
    }
    const fresh = [...captured, ...confirmed]
    const overdue = plan.overdue.filter((relation) => !fresh.some((point) => isSame(point.relation, relation)))
    const lost = failing.filter(({ relation, code }) => code === 'CAPTURE_LOST' && isOrdered(relation))
    const report = { ...plan, overdue, captured, confirmed, kept, failed, lost: lost.map(({ relation }) => relation) }
    return { result: report, failing: failed, overdue, detail: countsOf(`${captured.length} captured`, report) }
  })
}

function isStopped({ signal }: StopOptions): boolean {
  return signal?.aborted === true
}

function isSame(left: RelationName, right: RelationName): boolean {
  return quoteRelation(left) === quoteRelation(right)
}

interface Beaten<T> extends Pick<RoundPlan, 'failing' | 'overdue'> {
  readonly result: T
  readonly detail: string
}

/** While the work runs the heartbeat stays as healthy as it was: that something runs says nothing about how it ends. */
async function withHeartbeat<T>(ports: RoundPorts, work: () => Promise<Beaten<T>>): Promise<T> {
  const wasHealthy = (await findHeartbeat(ports.records))?.isHealthy ?? true
  const beat = (isHealthy: boolean, detail: string) =>
    writeHeartbeat(ports.records, { at: instantFrom(ports.clock.nowMs()), isHealthy, detail })
  const running = () => beat(wasHealthy, 'a round is running')
  const timer = setInterval(() => void running().catch(() => undefined), HEARTBEAT_EVERY_MS)
  timer.unref()
  try {
    await running()
    const { result, failing, overdue, detail } = await work()
    await beat(
      failing.length === 0 && overdue.length === 0,
      `${detail}${troubleOf(failing, overdue)}`.slice(0, MAX_DETAIL_CHARACTERS),
    )
    return result
  } catch (error) {
    await beat(false, isBackstopError(error) ? error.message : 'the round failed').catch(() => undefined)
    throw error
  } finally {
    clearInterval(timer)
  }
}

function countsOf(first: string, round: Pick<RoundPlan, 'confirmed' | 'kept' | 'regained'>): string {
  const regained = round.regained.length === 0 ? '' : `, ${round.regained.length} regained`
  return `${first}, ${round.confirmed.length} unchanged, ${round.kept.length} kept${regained}`
}

function troubleOf(failing: readonly RoundFailure[], overdue: readonly RelationName[]): string {
  const namesOf = (relations: readonly RelationName[]) => relations.map(displayRelation).join(', ')
  const failed =
    failing.length === 0 ? '' : `, ${failing.length} failed: ${namesOf(failing.map(({ relation }) => relation))}`
  return overdue.length === 0 ? failed : `${failed}, ${overdue.length} overdue: ${namesOf(overdue)}`
}
