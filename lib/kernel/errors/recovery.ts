import type { ErrorTable } from './kind.ts'

/** Errors of capture, verification and restore. */
export const RECOVERY_ERRORS = {
  TABLE_MISSING: {
    kind: 'missing',
    retry: false,
    hint: 'Check the schema and the name; names are case-sensitive as the catalog stores them.',
  },
  TABLE_UNSUPPORTED: {
    kind: 'unsupported',
    retry: false,
    hint: 'Only ordinary tables and partitions can be captured yet.',
  },
  COLUMN_TYPE_UNSUPPORTED: {
    kind: 'unsupported',
    retry: false,
    hint: 'The column type has no exact encoding yet; the snapshot is kept as invalid and is never offered.',
  },
  ROW_TOO_LARGE: {
    kind: 'oversized',
    retry: false,
    hint: 'Raise BACKSTOP_SNAPSHOT_MAX_ROW_MEGABYTES where there is memory for five times as much, keep such values outside the table, or protect it with "backstop backup logical-create".',
  },
  COPY_HEADER_INVALID: {
    kind: 'integrity',
    retry: true,
    hint: 'The server did not send a COPY BINARY stream; capture again.',
  },
  COPY_FIELD_INVALID: {
    kind: 'integrity',
    retry: true,
    hint: 'A field does not have the form of its column type; capture again, and report the type if it stays.',
  },
  COPY_STREAM_TRUNCATED: { kind: 'integrity', retry: true, hint: 'The stream ended early; capture again.' },
  SNAPSHOT_MISSING: { kind: 'missing', retry: false, hint: 'List what exists with "backstop snapshots list".' },
  SNAPSHOT_NONE_VALID: {
    kind: 'missing',
    retry: false,
    hint: 'Check storage with "backstop snapshots list", take one with "backstop snapshot --table <table>", or recover the whole database.',
  },
  SNAPSHOT_CORRUPT: {
    kind: 'integrity',
    retry: false,
    hint: 'Keep the objects for investigation and use the previous snapshot.',
  },
  MANIFEST_INVALID: { kind: 'integrity', retry: false, hint: 'The manifest cannot be trusted; use another snapshot.' },
  SNAPSHOT_RETIRED: {
    kind: 'conflict',
    retry: false,
    hint: 'Retention is removing the point; keep another one of the table, "backstop snapshots list" shows them.',
  },
  SNAPSHOT_HELD: {
    kind: 'conflict',
    retry: false,
    hint: 'It is under a legal hold already; lift that with "backstop snapshots release" before you set another.',
  },
  SNAPSHOT_NOT_KEPT: {
    kind: 'missing',
    retry: false,
    hint: 'See what is pinned and held with "backstop snapshots kept". A legal hold is lifted with "backstop snapshots release", a pin with "backstop snapshots unpin".',
  },
  RESTORE_TARGET_EXISTS: {
    kind: 'conflict',
    retry: false,
    hint: 'Choose another --target-table, or drop the old one first.',
  },
  RESTORE_IN_PROGRESS: {
    kind: 'conflict',
    retry: true,
    hint: 'Wait until it has ended, or restore into another --target-table.',
  },
  RESTORE_OVER_SOURCE: {
    kind: 'invalid',
    retry: false,
    hint: 'Restore into another table first; copyback brings rows to the original.',
  },
  REQUIRED_OBJECTS_MISSING: {
    kind: 'conflict',
    retry: false,
    hint: 'Bring what is listed into the database first: CREATE EXTENSION, ALTER TYPE … ADD VALUE, CREATE TYPE; the manifest has the definitions that were captured. Then restore again.',
  },
  RESTORE_MISMATCH: {
    kind: 'integrity',
    retry: false,
    hint: 'The restored rows differ from the snapshot; nothing was kept. Use the previous snapshot.',
  },
  TABLE_UNREADABLE: {
    kind: 'denied',
    retry: false,
    hint: 'GRANT SELECT on the table (and USAGE on its schema) to the role that Backstop connects as; under row-level security it needs BYPASSRLS too.',
  },
  TABLE_TOO_LARGE_FOR_RUN: {
    kind: 'timeout',
    retry: false,
    hint: 'Give the run more time, capture the table with "backstop snapshot --table <table>" where time is not limited, or leave it out with BACKSTOP_SNAPSHOT_TABLES.',
  },
  RUN_STOPPED: { kind: 'dependency', retry: true, hint: 'Nothing was kept; it is done again in the next run.' },
  CAPTURE_LOST: {
    kind: 'dependency',
    retry: true,
    hint: 'The process that captured the table, or its thread, ended in the middle of it; look for its end in the log (memory, time limit). The table is ordered again.',
  },
  CAPTURE_QUEUED: {
    kind: 'timeout',
    retry: true,
    hint: 'Send the same statement again in a minute or two, when the recovery point is taken.',
  },
  SET_MISSING: { kind: 'missing', retry: false, hint: 'List what exists with "backstop sets list".' },
  SET_INVALID: {
    kind: 'integrity',
    retry: false,
    hint: 'Use an older set; the members that are still valid can each be restored alone with "backstop recover --table <table>".',
  },
  SET_TOO_LARGE: {
    kind: 'oversized',
    retry: false,
    hint: 'Name the tables that are of use together, or follow dependencies alone with --dependencies.',
  },
  SET_CHANGED: {
    kind: 'conflict',
    retry: true,
    hint: 'Foreign keys were made or dropped while the tables were locked; take the set again.',
  },
  SET_KEY_BROKEN: {
    kind: 'integrity',
    retry: false,
    hint: 'The rows broke the foreign key in the database already; nothing was kept. Restore the members alone with "backstop restore --snapshot-id <snapshot>".',
  },
  CAPTURE_ORDER_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'The work item is not one that a plan of this version wrote; delete it, the next plan orders what is needed.',
  },
  RANGE_NOT_CAPTURED: {
    kind: 'dependency',
    retry: true,
    hint: 'The session that holds the snapshot captures the range itself. If it stays: look at the log of recovery.part and at its dead queue.',
  },
  DRILL_REFUSED: {
    kind: 'denied',
    retry: false,
    hint: 'A drill works in a schema or a database of its own: GRANT CREATE ON DATABASE to the role that it connects as, and for drills of logical backups ALTER ROLE … CREATEDB.',
  },
  DRILL_MISMATCH: {
    kind: 'integrity',
    retry: false,
    hint: 'What came back is not what was stored: read the differences in the evidence before you rely on it.',
  },
} as const satisfies ErrorTable
