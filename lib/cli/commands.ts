/** The table of commands, in the order of the help. */
import { analyze } from './analyze/index.ts'
import { approvalsApprove, approvalsDeny, approvalsList, approvalsShow } from './approvals/index.ts'
import { auditExport, auditVerify } from './audit/index.ts'
import { backupLogicalCreate, backupLogicalList, backupLogicalRestore } from './backup/index.ts'
import { demo } from './demo/index.ts'
import type { Command } from './frame/index.ts'
import { pitrBaseBackup, pitrList, pitrPrepareRestore } from './pitr/index.ts'
import { policyCheck } from './policy/index.ts'
import { recover, restore } from './recover/index.ts'
import { snapshotsList, snapshotTake } from './snapshots/index.ts'
import { tokenCreate } from './token/index.ts'
import { undo } from './undo/index.ts'
import { up } from './up/index.ts'
import { walArchive, walFetch, walList, walVerify } from './wal/index.ts'

export const COMMANDS: readonly Command[] = [
  up,
  demo,
  analyze,
  approvalsList,
  approvalsShow,
  approvalsApprove,
  approvalsDeny,
  snapshotTake,
  snapshotsList,
  recover,
  restore,
  undo,
  backupLogicalCreate,
  backupLogicalRestore,
  backupLogicalList,
  pitrBaseBackup,
  pitrPrepareRestore,
  pitrList,
  walArchive,
  walFetch,
  walVerify,
  walList,
  auditVerify,
  auditExport,
  policyCheck,
  tokenCreate,
]

/** What the words that hold several commands are for. */
export const GROUPS: Readonly<Record<string, string>> = {
  approvals: 'See held statements and decide on them',
  audit: 'Prove and export the audit ledger',
  backup: 'Back up and restore whole databases',
  pitr: 'Base backups of a server, and recovery to a point in time',
  policy: 'Check a policy file',
  snapshots: 'List recovery points',
  token: 'Create tokens for agents and people',
  wal: 'Archive WAL, fetch it back, and prove the archive',
}
