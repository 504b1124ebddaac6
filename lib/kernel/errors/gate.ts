import type { ErrorTable } from './kind.ts'

/** Errors of the gate. A verdict (blocked, held) is an answer and not an error. */
export const GATE_ERRORS = {
  POLICY_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Run "backstop policy check <file>" and correct the fields it names.',
  },
  POLICY_MISSING: {
    kind: 'invalid',
    retry: false,
    hint: 'Write the policy file or unset BACKSTOP_POLICY to use the defaults.',
  },
  APPROVAL_MISSING: {
    kind: 'missing',
    retry: false,
    hint: 'List what is waiting with GET /pending or "backstop approvals list".',
  },
  APPROVAL_DECIDED: {
    kind: 'conflict',
    retry: false,
    hint: 'The first decision stands; a new request needs a new approval.',
  },
  APPROVAL_SELF: { kind: 'denied', retry: false, hint: 'Ask another operator: nobody decides on their own request.' },
  APPROVAL_MISMATCH: {
    kind: 'conflict',
    retry: false,
    hint: 'Resubmit exactly what was approved, or submit it without an approval id to ask anew.',
  },
  AUDIT_UNAVAILABLE: {
    kind: 'dependency',
    retry: true,
    hint: 'Nothing was executed. Restore write access to the audit store and try again.',
  },
  AUDIT_BROKEN: {
    kind: 'integrity',
    retry: false,
    hint: 'Treat this as an incident: keep the store as it is and compare it with the anchors outside.',
  },
  EXECUTION_FAILED: {
    kind: 'invalid',
    retry: false,
    hint: 'Correct the statement; the database rejected it and nothing was changed.',
  },
  EXECUTION_TIMEOUT: {
    kind: 'timeout',
    retry: false,
    hint: 'Narrow the statement or raise BACKSTOP_STATEMENT_TIMEOUT_MS.',
  },
  EXECUTION_UNKNOWN: {
    kind: 'integrity',
    retry: false,
    hint: 'The connection was lost during COMMIT: check the data before anything is repeated.',
  },
  ROW_GUARD_EXCEEDED: {
    kind: 'conflict',
    retry: false,
    hint: 'Ask for approval of the measured number of rows, or narrow the statement.',
  },
  READ_WROTE: {
    kind: 'denied',
    retry: false,
    hint: 'The statement tried to write although it reads by its form; submit the write openly.',
  },
} as const satisfies ErrorTable
