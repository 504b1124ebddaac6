/** Run a judged write: lock, look again, secure, claim, execute, count. */
import { type AuditId, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession, RecoveryPoint, UndoKept } from '#lib/ports/index.ts'
import type { Approval, ClaimRefusal } from '../approval/index.ts'
import { type GuardStopped, limitTime, type Ran, type RowGuard, runOutside, runWrite } from '../execute/index.ts'
import { bindingOf } from './binding.ts'
import { judge, parametersOf } from './judge.ts'
import type { GateParts } from './parts.ts'
import { isStoppedBy } from './stop.ts'
import type { Judged } from './submission.ts'
import { undoKeeping } from './undo-keeping.ts'

export type WriteReport =
  | {
      readonly kind: 'ran'
      readonly ran: Ran
      readonly points: readonly RecoveryPoint[]
      readonly kept?: UndoKept
    }
  | { readonly kind: 'guard-stopped'; readonly stopped: GuardStopped }
  /** Policy asks for a pre-image, and none could be kept. */
  | { readonly kind: 'not-undoable'; readonly reason: string }
  | { readonly kind: 'claim-refused'; readonly refusal: ClaimRefusal }
  | { readonly kind: 'paused' }
  /** What the statement means has changed since it was judged: `judged` is the newer judgement. */
  | { readonly kind: 'changed'; readonly judged: Judged }

/** Leaves the write's transaction; the session rolls it back. */
class Abort extends Error {
  readonly report: WriteReport

  constructor(report: WriteReport) {
    super(report.kind)
    this.report = report
  }
}

/** What is captured, and the parents that are destroyed with it: a partition attached meanwhile would be lost unsecured. */
function tablesToLock(judged: Judged): readonly string[] {
  if (judged.plan.captureTables.length === 0) return []
  const parents = judged.assessment.targets.filter((one) => one.isDestructive && one.relationKind === 'p')
  const names = [...judged.plan.captureTables, ...parents.map((one) => one.relation)].map(quoteRelation)
  return [...new Set(names)].sort()
}

/** A destruction keeps everybody out; an UPDATE or DELETE that is secured keeps writers out while the snapshot is taken. */
async function lock(session: DatabaseSession, judged: Judged): Promise<void> {
  const tables = tablesToLock(judged)
  if (tables.length === 0) return
  const isStructural = judged.assessment.targets.some((one) => ['drop', 'truncate', 'alter'].includes(one.access))
  await session.execute(
    `LOCK TABLE ${tables.join(', ')} IN ${isStructural ? 'ACCESS EXCLUSIVE' : 'SHARE ROW EXCLUSIVE'} MODE`,
  )
}

/** Equal when the same names still mean the same objects, and the same tables lose by it. */
function meansTheSame(before: Judged, after: Judged, parts: GateParts): boolean {
  const text = (judged: Judged) => {
    const { relations, functions } = bindingOf(judged, parts.writes, [])
    return JSON.stringify([relations, functions, judged.assessment.losingTables])
  }
  return text(before) === text(after)
}

async function checkPause(parts: GateParts): Promise<void> {
  if (isStoppedBy(await parts.pause.read(), false)) throw new Abort({ kind: 'paused' })
}

async function claim(
  parts: GateParts,
  judged: Judged,
  approval: Approval | undefined,
  auditId: AuditId,
): Promise<void> {
  if (approval === undefined) return
  const taken = await parts.approvals.claim(approval.id, bindingOf(judged, parts.writes, []), auditId)
  if (!taken.ok) throw new Abort({ kind: 'claim-refused', refusal: taken })
}

/** The operations that change rows and nothing else. */
const CHANGES_ROWS = /^(EXPLAIN ANALYZE )?(SELECT|VALUES|TABLE|INSERT|UPDATE|DELETE|MERGE)$/

/** Once it was measured, it is known, and the approver was told. */
function mayChangeCatalog(judged: Judged): boolean {
  return !CHANGES_ROWS.test(judged.statement.operation) || judged.assessment.impact.method === 'measured'
}

/** What may change: the approved number, or the policy's thresholds. */
function guardFor(judged: Judged, approval: Approval | undefined): RowGuard {
  const { policy } = judged.active
  const secured = approval === undefined ? [] : judged.facts.cascadeTables.filter((table) => isCaptured(judged, table))
  const always = { securedTables: secured, mayChangeCatalog: mayChangeCatalog(judged), unmeasured: [] }
  if (approval !== undefined) {
    return { ...always, ...(approval.maxRows === undefined ? {} : { maxRows: approval.maxRows }) }
  }
  if (!policy.impact_analysis_enabled || judged.facts.level === 'IMPACT_CRITICAL') return always
  const { impact, targets } = judged.assessment
  const target = targets.find((one) => one.access === 'update' || one.access === 'delete')
  const share =
    target === undefined || impact.tableRowCount === undefined
      ? {}
      : {
          share: {
            relation: target.relation,
            tableRowCount: impact.tableRowCount,
            maxPercent: policy.max_write_percent_without_critical,
          },
        }
  const unmeasured = target === undefined || impact.tableRowCount !== undefined ? [] : unmeasuredShares(judged)
  return { ...always, unmeasured, maxRows: policy.max_write_rows_without_critical, ...share }
}

/** An upsert of a few rows is no mass change, however small the table is. */
const FREE_UPSERT_ROWS = 20

function unmeasuredShares(judged: Judged): RowGuard['unmeasured'] {
  const maxPercent = judged.active.policy.max_write_percent_without_critical
  const { targets } = judged.assessment
  const inserted = new Set(targets.filter((one) => one.access === 'insert').map((one) => one.oid))
  return targets
    .filter((one) => one.access === 'update' || one.access === 'delete')
    .map((one) => ({
      relation: one.relation,
      maxPercent,
      freeRows: inserted.has(one.oid) ? FREE_UPSERT_ROWS : 0,
    }))
}

function isCaptured(judged: Judged, table: { readonly schema: string; readonly name: string }): boolean {
  return judged.plan.captureTables.some((one) => quoteRelation(one) === quoteRelation(table))
}

/**
 * Run in one transaction: lock → look again → final snapshot → claim → statement → count → COMMIT.
 *
 * Zero rows are lost between recovery point and destruction: nobody can write to the tables from the lock to the COMMIT, and
 * the snapshot is durable and read back before the statement runs.
 */
export async function writeInTransaction(
  parts: GateParts,
  session: DatabaseSession,
  judged: Judged,
  approval: Approval | undefined,
  auditId: AuditId,
): Promise<WriteReport> {
  let points: readonly RecoveryPoint[] = []
  const statement = { sql: judged.request.query, parameters: parametersOf(judged.request) }
  const { limits } = parts.execution
  const keeping = undoKeeping(parts, judged, approval, auditId)
  try {
    const outcome = await runWrite(
      session,
      statement,
      parts.execution,
      async (open) => {
        await lock(open, judged)
        await open.execute(limitTime(limits.assessTimeoutMs))
        const again = await judge(open, judged, judged.statement)
        await open.execute(limitTime(limits.captureTimeoutMs))
        if (!meansTheSame(judged, again, parts)) throw new Abort({ kind: 'changed', judged: again })
        if (judged.plan.required) points = await parts.recovery.captureWithin(open, judged.plan.captureTables, 'final')
        await checkPause(parts)
        await claim(parts, again, approval, auditId)
        return guardFor(judged, approval)
      },
      keeping,
    )
    if (outcome.outcome === 'guard-stopped') return { kind: 'guard-stopped', stopped: outcome }
    if (outcome.outcome === 'unkept') return { kind: 'not-undoable', reason: outcome.reason }
    const kept = keeping?.kept()
    return { kind: 'ran', ran: outcome, points, ...(kept === undefined ? {} : { kept }) }
  } catch (error) {
    if (error instanceof Abort) return error.report
    throw error
  }
}

/** Run what cannot be in a transaction: claimed first, and nothing can undo it. */
export async function writeOutside(
  parts: GateParts,
  session: DatabaseSession,
  judged: Judged,
  approval: Approval | undefined,
  auditId: AuditId,
): Promise<WriteReport> {
  const statement = { sql: judged.request.query, parameters: parametersOf(judged.request) }
  try {
    await checkPause(parts)
    await claim(parts, judged, approval, auditId)
    return { kind: 'ran', ran: await runOutside(session, statement, parts.execution), points: [] }
  } catch (error) {
    if (error instanceof Abort) return error.report
    throw error
  }
}
