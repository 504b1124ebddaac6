/** How many rows a write reaches: an exact count as far as the thresholds ask, else the planner's estimate. */
import { quoteRelation } from '#lib/kernel/index.ts'
import { type DatabaseSession, type SqlParameter, StatementError } from '#lib/ports/index.ts'
import type { ImpactShape } from '../classify/index.ts'
import type { Policy } from '../policy/index.ts'
import type { Impact, ResolvedTarget } from './model.ts'

export interface ImpactRequest {
  readonly sql: string
  readonly parameters: readonly SqlParameter[]
  readonly shape: ImpactShape | undefined
  readonly target: ResolvedTarget
  readonly estimatedTableRows: number
  /** False when it calls something that must not run before it is allowed: planning runs what is labelled IMMUTABLE or STABLE, too. */
  readonly mayCount: boolean
  readonly policy: Policy
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Plan Rows': number
  readonly Plans?: readonly Plan[]
}

/** Counted to the end although a smaller number would decide, so that an approver sees the figure. */
const EXACT_ROWS = 100_000
/** The same of the table itself, which is counted for every write, whether somebody will look at the figure or not. */
const EXACT_TABLE_ROWS = 10_000

const SAVEPOINT = 'backstop_impact'

/** A part that may fail by time or by rights without ending the transaction. */
async function attempt<T>(session: DatabaseSession, work: () => Promise<T>): Promise<T | undefined> {
  await session.execute(`SAVEPOINT ${SAVEPOINT}`)
  try {
    const result = await work()
    await session.execute(`RELEASE ${SAVEPOINT}`)
    return result
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    await session.execute(`ROLLBACK TO ${SAVEPOINT}`)
    return undefined
  }
}

async function countUpTo(
  session: DatabaseSession,
  rowsQuery: string,
  limit: number,
  parameters: readonly SqlParameter[],
) {
  const counted = `SELECT count(*) FROM (SELECT FROM (${rowsQuery}\n) all_rows LIMIT ${limit}) bounded`
  const result = await session.runCapped(counted, { parameters, maxRows: 1, maxBytes: 1_000 })
  return Number(result.rows[0]?.[0])
}

/** The node below ModifyTable: the root itself reports no rows of its own. */
function rowsBelowModify(plan: Plan): number | undefined {
  if (plan['Node Type'] === 'ModifyTable') return plan.Plans?.[0]?.['Plan Rows']
  for (const child of plan.Plans ?? []) {
    const found = rowsBelowModify(child)
    if (found !== undefined) return found
  }
  return undefined
}

async function plannedRows(session: DatabaseSession, sql: string, parameters: readonly SqlParameter[]) {
  const result = await session.runCapped(`EXPLAIN (FORMAT JSON) ${sql}`, { parameters, maxRows: 1, maxBytes: 1 << 20 })
  const cell = result.rows[0]?.[0]
  const parsed = typeof cell === 'string' ? (JSON.parse(cell) as unknown) : cell
  const plan = (parsed as readonly { Plan: Plan }[] | undefined)?.[0]?.Plan
  return plan === undefined ? undefined : rowsBelowModify(plan)
}

/**
 * The table's size, exactly as far as it matters: a share above `percent` is possible only while the table has fewer than
 * `rows × 100 / percent` rows, so counting stops there; `rows` are those that were measured, and as many as the guard would let
 * pass. Of a larger table the statistics tell the size.
 */
async function tableShare(session: DatabaseSession, request: ImpactRequest, rows: number): Promise<Partial<Impact>> {
  const { policy, target, estimatedTableRows } = request
  const decisive = (count: number) =>
    Math.ceil((count * 100) / Math.max(policy.max_write_percent_without_critical, 1)) + 1
  const guarded = Math.min(decisive(policy.max_write_rows_without_critical), EXACT_ROWS)
  const limit = Math.max(decisive(rows), guarded, EXACT_TABLE_ROWS)
  const counted = await attempt(session, () =>
    countUpTo(session, `SELECT FROM ${quoteRelation(target.relation)}`, limit, []),
  )
  if (counted === undefined) return {}
  const tableRowCount = counted < limit ? counted : Math.max(counted, Math.round(estimatedTableRows))
  return { tableRowCount, percent: tableRowCount === 0 ? 0 : Math.round((rows * 10_000) / tableRowCount) / 100 }
}

/** Measure within the session's statement timeout; every failure falls to the next method, the last one is `unknown`. */
export async function measureImpact(session: DatabaseSession, request: ImpactRequest): Promise<Impact> {
  const { shape, policy } = request
  if (!request.mayCount) return { method: 'unknown' }
  const limit = policy.max_write_rows_without_critical + 1
  if (shape !== undefined) {
    const bound = Math.max(limit, EXACT_ROWS)
    const rows = await attempt(session, () => countUpTo(session, shape.rowsQuery, bound, request.parameters))
    if (rows !== undefined) {
      return {
        method: rows < bound ? 'counted' : 'bounded',
        rowCount: rows,
        ...(await tableShare(session, request, rows)),
      }
    }
  }
  const planned = await attempt(session, () => plannedRows(session, request.sql, request.parameters))
  if (planned !== undefined)
    return { method: 'planner', rowCount: planned, ...(await tableShare(session, request, planned)) }
  return { method: 'unknown' }
}

/** True when the measured figures pass a threshold of the policy. */
export function passesThreshold(impact: Impact, policy: Policy): boolean {
  if (impact.rowCount !== undefined && impact.rowCount > policy.max_write_rows_without_critical) return true
  return impact.percent !== undefined && impact.percent > policy.max_write_percent_without_critical
}
