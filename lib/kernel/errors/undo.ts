import type { ErrorTable } from './kind.ts'

/** Errors of reversing a write. Rows that changed since are no error but part of the report. */
export const UNDO_ERRORS = {
  UNDO_MISSING: {
    kind: 'missing',
    retry: false,
    hint: 'Use the audit_id of an answer whose undo.available is true; what is older than the retention is gone: recover the table with "backstop recover".',
  },
  UNDO_CORRUPT: {
    kind: 'integrity',
    retry: false,
    hint: 'Nothing was changed. Keep the object for investigation, and recover the table with "backstop recover".',
  },
  UNDO_DONE: {
    kind: 'conflict',
    retry: false,
    hint: 'It was undone before; to bring the write back, undo the undo by its own audit id.',
  },
  UNDO_NOT_APPLIED: {
    kind: 'conflict',
    retry: false,
    hint: 'The write was never committed: there is nothing to undo.',
  },
  GATE_PAUSED: {
    kind: 'conflict',
    retry: true,
    hint: 'Resume with POST /admin/resume when the emergency is over, then try again.',
  },
  UNDO_IMPOSSIBLE: {
    kind: 'conflict',
    retry: false,
    hint: 'Nothing was changed. Read the plan with --dry-run, set the rows back by hand, or recover the table with "backstop recover".',
  },
} as const satisfies ErrorTable
