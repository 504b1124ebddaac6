/** Flags of recover for what is larger than a table. */
import { text } from '../frame/index.ts'
import { TARGET_FLAGS } from '../pitr/index.ts'

export const WHOLE_FLAGS = {
  backupId: text(
    '--backup-id <id>',
    'with --type logical or pitr: this backup (else the newest that fits is proposed)',
  ),
  clusterId: text('--cluster-id <name>', 'with --type pitr: which server (BACKSTOP_CLUSTER_ID)'),
  targetDir: text('--target-dir <folder>', 'with --type pitr: the data folder to make: empty, or not there yet'),
  ...TARGET_FLAGS,
}

/** What both ways are told. */
export interface WholeFlags {
  readonly db: string | undefined
  readonly storage: string | undefined
  readonly backupId: string | undefined
  readonly clusterId: string | undefined
  readonly targetDir: string | undefined
  readonly targetTime: string | undefined
  readonly targetLsn: string | undefined
  readonly targetName: string | undefined
  readonly targetAction: 'pause' | 'promote' | 'shutdown'
  /** With --type logical: nothing that was begun later. */
  readonly at: string | undefined
  readonly dryRun: boolean
  readonly isUnattended: boolean
}
