/** The gate's main door: classify, assess, decide, then block, hold or run, with intent before effect and outcome after. */
import type { AuditId } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { AuditIntent } from '../audit/index.ts'
import { type ClassifiedStatement, classify } from '../classify/index.ts'
import { beginRead, runRead } from '../execute/index.ts'
import { executed, failed, type Outcome } from './answer.ts'
import { Backlog } from './backlog.ts'
import { judge, parametersOf } from './judge.ts'
import { describeJudged, describeText } from './metadata.ts'
import type { AnalyzeAnswer, OpenQueryGate, Principal, QueryAnswer, QueryRequest } from './model.ts'
import type { GateParts } from './parts.ts'
import { settle } from './settle.ts'
import { findStop, isStoppedBy, pausedOutcome } from './stop.ts'
import type { Judged, Submission } from './submission.ts'

/** What the catalog look-ups said, or the finished read. */
type Looked = { readonly outcome: Outcome } | { readonly judged: Judged }

/** A read by its text and by everything that it reaches: it runs in the very transaction that it was assessed in. */
function isPureRead(judged: Judged): boolean {
  const { statement, assessment, verdict } = judged
  return statement.transaction === 'read' && assessment.level === 'SAFE' && verdict.action === 'execute'
}

/** A name that means nothing makes the statement fail; it need not run for that, and nobody has to approve it. */
function findMissing(judged: Judged): StatementError | undefined {
  const { unknownFunctions, unresolved } = judged.assessment
  if (unknownFunctions[0] !== undefined) {
    return new StatementError({ sqlState: '42883', message: `function ${unknownFunctions[0]} does not exist` })
  }
  if (unresolved[0] !== undefined && judged.statement.recoverability === 'nothing-lost') {
    return new StatementError({ sqlState: '42P01', message: `relation "${unresolved[0]}" does not exist` })
  }
  return undefined
}

/**
 * Begin, and look at once: both share a round trip. Nothing foreign may run before both have resolved, and the session is
 * not given back while either still uses it.
 */
async function inReadOnly(session: DatabaseSession, begin: string, look: () => Promise<Judged>): Promise<Judged> {
  const [begun, looked] = await Promise.allSettled([session.execute(begin), look()])
  if (begun.status === 'rejected') throw begun.reason
  if (looked.status === 'rejected') throw looked.reason
  return looked.value
}

class Gate implements OpenQueryGate {
  readonly #parts: GateParts
  readonly #backlog = new Backlog()

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  async execute(principal: Principal, request: QueryRequest): Promise<QueryAnswer> {
    const { ledger, observer, clock } = this.#parts
    const startedMs = clock.monotonicMs()
    const submission = this.#submit(principal, request)
    // The intent is written while the catalog is read; nothing runs before it is durable.
    const intent = ledger.begin(this.#intentOf(submission))
    intent.catch(() => {})
    const outcome = await this.#decide(submission, intent)
    const durationMs = Math.round((clock.monotonicMs() - startedMs) * 1_000) / 1_000
    const auditId = await this.#finish(intent, outcome, durationMs)
    observer.noteQuery({ riskLevel: outcome.answer.risk_level, status: outcome.answer.status, durationMs })
    return { ...outcome.answer, audit_id: auditId }
  }

  async settled(): Promise<void> {
    await this.#backlog.drained()
  }

  async analyze(principal: Principal, request: QueryRequest): Promise<AnalyzeAnswer> {
    const submission = this.#submit(principal, request)
    const { classification } = submission
    if (!classification.ok || classification.transaction === 'never') {
      const metadata = describeText(submission, this.#parts)
      const message = classification.ok ? metadata.policy_reason : classification.message
      return { status: 'analyzed', risk_level: metadata.risk_level, safety_metadata: metadata, message }
    }
    const judged = await this.#parts.reads.withSession(async (session) => {
      const begin = beginRead(this.#parts.execution, this.#parts.execution.limits.assessTimeoutMs)
      return inReadOnly(session, begin, () => judge(session, submission, classification))
    })
    const metadata = describeJudged(judged, this.#parts, judged.statement.recoverability !== 'impossible')
    return {
      status: 'analyzed',
      risk_level: metadata.risk_level,
      safety_metadata: metadata,
      message: judged.verdict.reason,
    }
  }

  #submit(principal: Principal, request: QueryRequest): Submission {
    return { principal, request, classification: classify(request.query), active: this.#parts.policy() }
  }

  #intentOf({ principal, request, classification }: Submission): AuditIntent {
    return {
      action: 'statement',
      principal: principal.name,
      agentId: request.agentId,
      query: request.query,
      querySha256: classification.textSha256,
      riskLevel: classification.level,
      operation: classification.ok ? classification.operation : classification.code,
      ...(request.approvalId === undefined ? {} : { approvalId: request.approvalId }),
      ...(request.correlationId === undefined ? {} : { facts: { correlationId: request.correlationId } }),
    }
  }

  async #decide(submission: Submission, intent: Promise<AuditId>): Promise<Outcome> {
    const { classification } = submission
    try {
      const stop = await findStop(this.#parts, submission)
      if (stop !== undefined || !classification.ok) return stop as Outcome
      const looked = await this.#look(submission, classification, intent)
      return 'outcome' in looked ? looked.outcome : await settle(this.#parts, looked.judged, await intent)
    } catch (error) {
      if (error instanceof StatementError || isBackstopError(error))
        return failed(describeText(submission, this.#parts), error)
      throw error
    }
  }

  #look(submission: Submission, statement: ClassifiedStatement, intent: Promise<AuditId>): Promise<Looked> {
    const { reads, execution } = this.#parts
    const { statementTimeoutMs, assessTimeoutMs } = execution.limits
    return reads.withSession(async (session) => {
      const timeoutMs = statement.level === 'SAFE' ? statementTimeoutMs : assessTimeoutMs
      const judged = await inReadOnly(session, beginRead(execution, timeoutMs), () =>
        judge(session, submission, statement),
      )
      const missing = findMissing(judged)
      if (missing !== undefined) return { outcome: failed(describeJudged(judged, this.#parts, false), missing) }
      return isPureRead(judged) ? { outcome: await this.#read(session, judged, intent) } : { judged }
    })
  }

  async #read(session: DatabaseSession, judged: Judged, intent: Promise<AuditId>): Promise<Outcome> {
    const { execution, pause } = this.#parts
    await intent
    if (isStoppedBy(await pause.current(), true)) return pausedOutcome(this.#parts, judged)
    const metadata = describeJudged(judged, this.#parts, true)
    const statement = { sql: judged.request.query, parameters: parametersOf(judged.request) }
    try {
      const ran = await runRead(session, statement, execution)
      if (judged.assessment.isBuiltInOnly) session.leaveClean()
      return executed(ran, metadata, execution.limits)
    } catch (error) {
      if (error instanceof StatementError || isBackstopError(error)) return failed(metadata, error)
      throw error
    }
  }

  /**
   * Write the outcome. A pure read does not wait for it: its intent is durable, and a process that is killed in between
   * leaves it open, which is the truth. Everything else is answered when the outcome is durable.
   */
  async #finish(intent: Promise<AuditId>, outcome: Outcome, durationMs: number): Promise<AuditId> {
    const auditId = await intent
    const isPureRead = outcome.answer.status === 'executed' && outcome.answer.risk_level === 'SAFE'
    const writing = this.#backlog.add(this.#writeOutcome(auditId, outcome, durationMs))
    if (!isPureRead || this.#backlog.isFull) await writing
    return auditId
  }

  /** An effect that stands is answered even when its outcome cannot be kept; operators are told either way. */
  async #writeOutcome(auditId: AuditId, outcome: Outcome, durationMs: number): Promise<void> {
    try {
      await this.#parts.ledger.finish(auditId, { ...outcome.audit, durationMs })
    } catch {
      await this.#parts.alerts.raise({
        severity: 'critical',
        eventType: 'audit_outcome_missing',
        title: 'The outcome of a statement could not be recorded',
        recommendedAction: 'Restore the audit store; the event stays open until it is reconciled.',
        facts: { auditId, outcome: outcome.audit.outcome },
        dedupeKey: 'audit_outcome_missing',
      })
    }
  }
}

/** Put the door together. Throws CONFIG_INVALID for limits that make no sense. */
export function openQueryGate(parts: GateParts): OpenQueryGate {
  const { maxRows, maxBytes } = parts.execution.limits
  if (maxRows < 1 || maxBytes < 1)
    throw new BackstopError('CONFIG_INVALID', 'The row and byte limits must be at least 1.')
  return new Gate(parts)
}
