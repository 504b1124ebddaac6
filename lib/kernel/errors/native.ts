import type { ErrorTable } from './kind.ts'

/** Errors of whole-database backups, of the archive of WAL, and of PostgreSQL's own programs. */
export const NATIVE_ERRORS = {
  NATIVE_TOOL_MISSING: {
    kind: 'dependency',
    retry: false,
    hint: 'Install them: "apt-get install postgresql-client" (Debian, Ubuntu; "postgresql" for pg_basebackup of a matching version and the server), "dnf install postgresql", "brew install libpq"; or name the program with its --…-bin flag.',
  },
  NATIVE_TOOL_FAILED: {
    kind: 'dependency',
    retry: true,
    hint: 'Read what the program said. It must not be older than the server; the role needs the rights that the message names.',
  },
  BACKUP_MISSING: {
    kind: 'missing',
    retry: false,
    hint: 'List what there is with "backstop backup logical-list" or "backstop pitr list".',
  },
  BACKUP_EXISTS: { kind: 'conflict', retry: false, hint: 'Leave out --backup-id, or choose another one.' },
  BACKUP_CORRUPT: {
    kind: 'integrity',
    retry: false,
    hint: 'Keep the objects for investigation and use another backup. Nothing of this one was used.',
  },
  BACKUP_TABLESPACES: {
    kind: 'unsupported',
    retry: false,
    hint: 'Try again when nobody makes tablespaces; one inside of the data folder (allow_in_place_tablespaces) has to be dropped, or use "backstop backup logical-create".',
  },
  WAL_INVALID: {
    kind: 'integrity',
    retry: false,
    hint: 'Nothing was stored. Check that --wal-file is %p and --wal-name is %f of archive_command, and that the disk is sound.',
  },
  WAL_CONFLICT: {
    kind: 'integrity',
    retry: false,
    hint: 'Two servers archive under one --cluster-id, or a server was restored without a new timeline. Give each its own --cluster-id; nothing was overwritten.',
  },
  WAL_SYSTEM_MISMATCH: {
    kind: 'conflict',
    retry: false,
    hint: 'Give this server a --cluster-id of its own; after pg_upgrade or initdb it is another system.',
  },
  WAL_MISSING: { kind: 'missing', retry: false, hint: 'See what is there with "backstop wal list".' },
  WAL_CORRUPT: {
    kind: 'integrity',
    retry: false,
    hint: 'Keep the object for investigation. While the server still has the segment in pg_wal, copy it from there; otherwise take a new base backup now.',
  },
  TABLESPACE_MAPPING_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Write --tablespace-mapping OLD=NEW: OLD as "backstop pitr list --json" shows it in tablespaces[].location, NEW an absolute path outside of the data folder.',
  },
  TARGET_FOLDER_REFUSED: {
    kind: 'conflict',
    retry: false,
    hint: 'Name an empty folder, or one that does not exist. --force replaces what is in it, unless a server runs there.',
  },
  LOCAL_FILE_FAILED: {
    kind: 'dependency',
    retry: true,
    hint: 'Check that the path exists, that this user may use it, and that the disk has room. Nothing half written is kept.',
  },
  RECOVERY_TARGET_INVALID: {
    kind: 'invalid',
    retry: false,
    hint: 'Give one of --target-time (with a time zone), --target-lsn and --target-name, after the end of the base backup.',
  },
} as const satisfies ErrorTable
