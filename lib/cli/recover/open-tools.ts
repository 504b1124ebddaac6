/** Opens what recover and restore work with. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation } from '#lib/kernel/index.ts'
import { defaultTarget } from '#lib/recovery/index.ts'
import { openRecoveryTools, type RecoveryTools } from '#lib/runtime/tools/index.ts'
import type { CommandContext } from '../frame/index.ts'
import {
  choice,
  DATABASE_FLAG,
  existingMetadata,
  existingStorage,
  getSetting,
  METADATA_FLAG,
  readTable,
  STORAGE_FLAG,
  text,
  toggle,
} from '../frame/index.ts'

export const RESTORE_FLAGS = {
  db: DATABASE_FLAG,
  storage: STORAGE_FLAG,
  metadataDb: METADATA_FLAG,
  targetTable: text('--target-table <name>', 'restore into this table (default <table>_recovered)'),
  conflictPolicy: choice(
    '--conflict-policy <policy>',
    'when the target exists: add missing rows, replace rows of the same key too, or refuse',
    ['skip', 'overwrite', 'fail'] as const,
    'fail',
  ),
  copybackFile: text('--copyback-file <path>', 'write the SQL of the way back to this file'),
  dryRun: toggle('--dry-run', 'verify the snapshot and say what would happen'),
}

export const RESTORE_JSON =
  'snapshot_id, source, target, dry_run, conflict_policy, row_count, size_bytes, inserted_rows, updated_rows, checked[], ' +
  'rebuilt[], not_rebuilt[], copyback (kind, statements[], aside[], notes[]; null in a dry run)'

interface PlaceFlags {
  readonly db: string | undefined
  readonly storage: string | undefined
  readonly metadataDb: string | undefined
}

export async function openTools(flags: PlaceFlags, { environment }: CommandContext): Promise<RecoveryTools> {
  const dbUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', environment)
  const storageUrl = existingStorage(flags.storage, environment)
  const metadataPath = existingMetadata(flags.metadataDb, environment)
  return await openRecoveryTools({ dbUrl, storageUrl, ...(metadataPath === undefined ? {} : { metadataPath }) })
}

/** Throws RESTORE_OVER_SOURCE. */
export function targetOf(source: RelationName, written: string | undefined): RelationName {
  const target = written === undefined ? defaultTarget(source) : readTable(written, source.schema)
  if (displayRelation(target) !== displayRelation(source)) return target
  throw new BackstopError('RESTORE_OVER_SOURCE', 'refusing to restore over the original table')
}
