/** Keep the pre-image of a judged write while it runs. */
import type { AuditId } from '#lib/kernel/index.ts'
import type { RowPlace, UndoKept, UndoMark } from '#lib/ports/index.ts'
import type { Approval } from '../approval/index.ts'
import { type Changes, changedRowCount, type Keeper } from '../execute/index.ts'
import { findExpectedRows } from './expected-rows.ts'
import type { GateParts } from './parts.ts'
import type { Judged } from './submission.ts'

export interface UndoKeeping extends Keeper {
  /** Undefined until `end` was called. */
  kept(): UndoKept | undefined
}

/** What the counters of rows do not tell of: DDL and TRUNCATE, and rows that lie on another server. */
function refusalOf({ assessment }: Judged, { catalogs }: Changes): UndoKept | undefined {
  const isForeign = assessment.targets.some((one) => one.relationKind === 'f' && one.access !== 'read')
  if (isForeign) return { available: false, reason: 'It cannot be undone: it writes to a foreign table.' }
  if (catalogs.length === 0) return undefined
  const what = [...catalogs].sort().join(', ')
  return { available: false, reason: `It cannot be undone: it changed more than rows (${what}).` }
}

/** What policy says of a write whose rows cannot be kept. */
function insist(judged: Judged, kept: UndoKept, changes: Changes): string | undefined {
  const isAsked = judged.active.policy.require_undo_for_writes && changedRowCount(changes.tables) > 0
  if (!isAsked || kept.available) return undefined
  return `${kept.reason} By policy a write has to be undoable; it was run and rolled back.`
}

/** Policy asks for what the settings have switched off. */
function refuseWrites(judged: Judged): UndoKeeping {
  const kept = { available: false, reason: 'It cannot be undone: no pre-images are kept here.' } as const
  return { kept: () => kept, begin: async () => {}, end: async (_, changes) => insist(judged, kept, changes) }
}

/** Undefined where the settings keep nothing for such a write, and policy does not ask for it. */
export function undoKeeping(
  parts: GateParts,
  judged: Judged,
  approval: Approval | undefined,
  auditId: AuditId,
): UndoKeeping | undefined {
  const { undo } = parts
  const isApproved = approval !== undefined
  const isAsked = judged.active.policy.require_undo_for_writes
  if (undo === undefined) return isAsked ? refuseWrites(judged) : undefined
  if (!isApproved && !isAsked && undo.writes === 'approved') return undefined
  let mark: UndoMark | undefined
  let places: readonly RowPlace[] | undefined
  let kept: UndoKept | undefined
  return {
    kept: () => kept,
    async begin(session) {
      mark = await undo.mark(session)
      places = await findExpectedRows(session, judged)
    },
    async end(session, changes) {
      if (mark === undefined || changedRowCount(changes.tables) === 0) return undefined
      const { tables } = changes
      const hint = places === undefined ? {} : { places }
      kept = refusalOf(judged, changes) ?? (await undo.keep(session, { auditId, mark, tables, isApproved, ...hint }))
      return insist(judged, kept, changes)
    },
  }
}
