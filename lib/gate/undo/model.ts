/** What operators ask of undo, and what they are told. */
import type { AuditId } from '#lib/kernel/index.ts'
import type { UndoConflictPolicy, UndoImages, UndoReport } from '#lib/ports/index.ts'
import type { AlertDesk } from '../alert/index.ts'
import type { OpenAuditLedger } from '../audit/index.ts'
import type { PauseSwitch } from '../pause/index.ts'

export interface UndoWish {
  /** Of the write that is to be reversed. */
  readonly auditId: AuditId
  /** Who asks: the token's id. */
  readonly principal: string
  readonly conflictPolicy: UndoConflictPolicy
  readonly correlationId: string
}

/** A report, and the audit id of having looked or of the reversal: the reversal is undone by that. */
export interface Undone {
  readonly report: UndoReport
  readonly auditId: AuditId
}

/** The door for reversals: what a person asked for, recorded before it happens. */
export interface UndoDesk {
  /** What a reversal would do; values of rows are shown, so it is recorded too. Changes nothing. */
  look(wish: UndoWish): Promise<Undone>
  /**
   * Reverse. With conflicts and the policy `fail` nothing is changed, and the report says so.
   *
   * Throws: GATE_PAUSED, UNDO_MISSING, UNDO_DONE, UNDO_NOT_APPLIED, UNDO_IMPOSSIBLE, UNDO_CORRUPT, AUDIT_UNAVAILABLE,
   *         EXECUTION_UNKNOWN
   */
  run(wish: UndoWish): Promise<Undone>
}

export interface UndoDeskParts {
  readonly images: Pick<UndoImages, 'reverse'>
  readonly ledger: Pick<OpenAuditLedger, 'begin' | 'finish' | 'find'>
  readonly pause: Pick<PauseSwitch, 'read'>
  readonly alerts: Pick<AlertDesk, 'raise'>
}
