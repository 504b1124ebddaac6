/** Undo through the gate: the ledger's word on the write, pause, intent before effect, outcome after. */
import { type AuditId, BackstopError, isBackstopError, type JsonObject } from '#lib/kernel/index.ts'
import type { UndoReport } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { AuditResult } from '../audit/index.ts'
import type { UndoDesk, UndoDeskParts, Undone, UndoWish } from './model.ts'

/** What the ledger keeps of the pre-image: its digest, or why there is none. */
interface KeptFact {
  readonly sha256?: string
  readonly unavailable?: string
}

/** The ledger's word: undefined where the outcome never came to be recorded, and the server has to be asked. */
async function readFact({ ledger }: UndoDeskParts, auditId: AuditId): Promise<KeptFact | undefined> {
  const event = await ledger.find(auditId)
  if (event === undefined) throw new BackstopError('UNDO_MISSING', `the ledger has no event ${auditId}`)
  const { result } = event
  if (result === undefined || result.outcome === 'unknown') return undefined
  if (result.outcome !== 'executed') {
    throw new BackstopError('UNDO_NOT_APPLIED', `the outcome of ${auditId} is ${result.outcome}: it changed nothing`)
  }
  return (result.facts?.['undo'] ?? {}) as KeptFact
}

async function expectedDigest(parts: UndoDeskParts, auditId: AuditId): Promise<{ readonly expectedSha256?: string }> {
  const fact = await readFact(parts, auditId)
  if (fact === undefined) return {}
  if (fact.sha256 !== undefined) return { expectedSha256: fact.sha256 }
  throw new BackstopError('UNDO_MISSING', fact.unavailable ?? `no pre-image was kept of ${auditId}`)
}

function resultOf(report: UndoReport): AuditResult {
  const { auditId, status, conflictCount, reversedCount, undo } = report
  const kept: JsonObject = undo?.available === true ? { undo: { rowCount: undo.rowCount, sha256: undo.sha256 } } : {}
  const facts = { undoes: auditId, conflicts: conflictCount, ...kept }
  if (status === 'undone') return { outcome: 'executed', rowCount: reversedCount, facts }
  if (status === 'planned') return { outcome: 'recorded', facts }
  return { outcome: 'blocked', policyReason: 'Rows have changed since; nothing was changed.', facts }
}

function failureOf(error: unknown): AuditResult {
  if (error instanceof StatementError) return { outcome: 'failed', errorCode: error.failure.sqlState }
  const code = isBackstopError(error) ? error.code : 'BUG'
  return { outcome: code === 'EXECUTION_UNKNOWN' ? 'unknown' : 'failed', errorCode: code }
}

class Desk implements UndoDesk {
  readonly #parts: UndoDeskParts

  constructor(parts: UndoDeskParts) {
    this.#parts = parts
  }

  look(wish: UndoWish): Promise<Undone> {
    return this.#audited('undo-looked', wish, (_, digest) => {
      const { auditId, conflictPolicy } = wish
      return this.#parts.images.reverse({ auditId, conflictPolicy, ...digest })
    })
  }

  run(wish: UndoWish): Promise<Undone> {
    return this.#audited('undo', wish, async (undoAuditId, digest) => {
      const { paused } = await this.#parts.pause.read()
      if (paused) throw new BackstopError('GATE_PAUSED', 'the gateway is paused; nothing was undone')
      const { auditId, conflictPolicy } = wish
      return await this.#parts.images.reverse({ auditId, undoAuditId, conflictPolicy, ...digest })
    })
  }

  async #audited(
    action: 'undo' | 'undo-looked',
    wish: UndoWish,
    act: (id: AuditId, digest: { readonly expectedSha256?: string }) => Promise<UndoReport>,
  ): Promise<Undone> {
    const { principal, auditId, conflictPolicy, correlationId } = wish
    const facts = { undoes: auditId, conflictPolicy, correlationId }
    const id = await this.#parts.ledger.begin({ action, principal, operation: 'UNDO', facts })
    try {
      const report = await act(id, await expectedDigest(this.#parts, auditId))
      await this.#finish(id, resultOf(report))
      return { report, auditId: id }
    } catch (error) {
      await this.#finish(id, failureOf(error))
      throw error
    }
  }

  /** The effect stands whether or not its outcome could be written; operators are told. */
  async #finish(auditId: AuditId, result: AuditResult): Promise<void> {
    try {
      await this.#parts.ledger.finish(auditId, result)
    } catch {
      await this.#parts.alerts.raise({
        severity: 'critical',
        eventType: 'audit_outcome_missing',
        title: 'The outcome of an undo could not be recorded',
        recommendedAction: 'Restore the audit store; the event stays open until it is reconciled.',
        facts: { auditId, outcome: result.outcome },
        dedupeKey: 'audit_outcome_missing',
      })
    }
  }
}

export function openUndoDesk(parts: UndoDeskParts): UndoDesk {
  return new Desk(parts)
}
