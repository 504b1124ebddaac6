/** The table of commands, in the order of the help. A line each; the module is loaded when the command is asked for. */
import { type CommandEntry, entry } from './frame/index.ts'

export const COMMANDS: readonly CommandEntry[] = [
  entry(
    'up',
    () => import('./up/up.ts'),
    (module) => module.up,
  ),
  entry(
    'demo',
    () => import('./demo/demo.ts'),
    (module) => module.demo,
  ),
  entry(
    'analyze',
    () => import('./analyze/index.ts'),
    (module) => module.analyze,
  ),
  entry(
    'approvals list',
    () => import('./approvals/list.ts'),
    (module) => module.approvalsList,
  ),
  entry(
    'approvals show',
    () => import('./approvals/decide.ts'),
    (module) => module.approvalsShow,
  ),
  entry(
    'approvals approve',
    () => import('./approvals/decide.ts'),
    (module) => module.approvalsApprove,
  ),
  entry(
    'approvals deny',
    () => import('./approvals/decide.ts'),
    (module) => module.approvalsDeny,
  ),
  entry(
    'snapshot',
    () => import('./snapshots/take.ts'),
    (module) => module.snapshotTake,
  ),
  entry(
    'snapshots list',
    () => import('./snapshots/list.ts'),
    (module) => module.snapshotsList,
  ),
  entry(
    'snapshots verify',
    () => import('./snapshots/verify.ts'),
    (module) => module.snapshotsVerify,
  ),
  entry(
    'snapshots prune',
    () => import('./snapshots/prune.ts'),
    (module) => module.snapshotsPrune,
  ),
  entry(
    'snapshots kept',
    () => import('./snapshots/kept.ts'),
    (module) => module.snapshotsKept,
  ),
  entry(
    'snapshots pin',
    () => import('./snapshots/keep.ts'),
    (module) => module.snapshotsPin,
  ),
  entry(
    'snapshots unpin',
    () => import('./snapshots/keep.ts'),
    (module) => module.snapshotsUnpin,
  ),
  entry(
    'snapshots hold',
    () => import('./snapshots/keep.ts'),
    (module) => module.snapshotsHold,
  ),
  entry(
    'snapshots release',
    () => import('./snapshots/keep.ts'),
    (module) => module.snapshotsRelease,
  ),
  entry(
    'sets take',
    () => import('./set/take.ts'),
    (module) => module.setsTake,
  ),
  entry(
    'sets list',
    () => import('./set/list.ts'),
    (module) => module.setsList,
  ),
  entry(
    'sets restore',
    () => import('./set/restore.ts'),
    (module) => module.setsRestore,
  ),
  entry(
    'recover',
    () => import('./recover/recover.ts'),
    (module) => module.recover,
  ),
  entry(
    'restore',
    () => import('./recover/restore.ts'),
    (module) => module.restore,
  ),
  entry(
    'restore-validate',
    () => import('./recover/restore-validate.ts'),
    (module) => module.restoreValidate,
  ),
  entry(
    'restore-copyback-plan',
    () => import('./recover/restore-copyback-plan.ts'),
    (module) => module.restoreCopybackPlan,
  ),
  entry(
    'undo',
    () => import('./undo/undo.ts'),
    (module) => module.undo,
  ),
  entry(
    'backup logical-create',
    () => import('./backup/logical-create.ts'),
    (module) => module.backupLogicalCreate,
  ),
  entry(
    'backup logical-restore',
    () => import('./backup/logical-restore.ts'),
    (module) => module.backupLogicalRestore,
  ),
  entry(
    'backup logical-list',
    () => import('./backup/logical-list.ts'),
    (module) => module.backupLogicalList,
  ),
  entry(
    'backup sweep',
    () => import('./backup/sweep.ts'),
    (module) => module.backupSweep,
  ),
  entry(
    'pitr basebackup',
    () => import('./pitr/base-backup.ts'),
    (module) => module.pitrBaseBackup,
  ),
  entry(
    'pitr prepare-restore',
    () => import('./pitr/prepare-restore.ts'),
    (module) => module.pitrPrepareRestore,
  ),
  entry(
    'pitr list',
    () => import('./pitr/list.ts'),
    (module) => module.pitrList,
  ),
  entry(
    'wal archive',
    () => import('./wal/archive.ts'),
    (module) => module.walArchive,
  ),
  entry(
    'wal fetch',
    () => import('./wal/fetch.ts'),
    (module) => module.walFetch,
  ),
  entry(
    'wal verify',
    () => import('./wal/verify.ts'),
    (module) => module.walVerify,
  ),
  entry(
    'wal list',
    () => import('./wal/list.ts'),
    (module) => module.walList,
  ),
  entry(
    'doctor native-tools',
    () => import('./doctor/native-tools.ts'),
    (module) => module.doctorNativeTools,
  ),
  entry(
    'doctor storage-permissions',
    () => import('./doctor/storage-permissions.ts'),
    (module) => module.doctorStoragePermissions,
  ),
  entry(
    'doctor launch',
    () => import('./doctor/launch.ts'),
    (module) => module.doctorLaunch,
  ),
  entry(
    'drill table-restore',
    () => import('./drill/table-restore.ts'),
    (module) => module.drillTableRestore,
  ),
  entry(
    'drill wal-archive-fetch',
    () => import('./drill/wal-archive-fetch.ts'),
    (module) => module.drillWalArchiveFetch,
  ),
  entry(
    'drill pitr-prepare',
    () => import('./drill/pitr-prepare.ts'),
    (module) => module.drillPitrPrepare,
  ),
  entry(
    'drill pitr-restore',
    () => import('./drill/pitr-restore.ts'),
    (module) => module.drillPitrRestore,
  ),
  entry(
    'drill logical-backup-restore',
    () => import('./drill/logical-backup-restore.ts'),
    (module) => module.drillLogicalBackupRestore,
  ),
  entry(
    'drill list',
    () => import('./drill/list.ts'),
    (module) => module.drillList,
  ),
  entry(
    'audit verify',
    () => import('./audit/verify.ts'),
    (module) => module.auditVerify,
  ),
  entry(
    'audit export',
    () => import('./audit/export.ts'),
    (module) => module.auditExport,
  ),
  entry(
    'policy check',
    () => import('./policy/check.ts'),
    (module) => module.policyCheck,
  ),
  entry(
    'alerts list',
    () => import('./alerts/list.ts'),
    (module) => module.alertsList,
  ),
  entry(
    'alerts test',
    () => import('./alerts/test-alert.ts'),
    (module) => module.alertsTest,
  ),
  entry(
    'init-roles',
    () => import('./init-roles/init-roles.ts'),
    (module) => module.initRoles,
  ),
  entry(
    'token create',
    () => import('./token/create.ts'),
    (module) => module.tokenCreate,
  ),
]

/** What the words that hold several commands are for. */
export const GROUPS: Readonly<Record<string, string>> = {
  alerts: 'See what operators were told, and try whether they are reached',
  approvals: 'See held statements and decide on them',
  audit: 'Prove and export the audit ledger',
  backup: 'Back up and restore whole databases',
  doctor: 'Look whether everything is as it has to be, and say how to mend what is not',
  drill: 'Restore for real into scratch, and keep the evidence',
  pitr: 'Base backups of a server, and recovery to a point in time',
  policy: 'Check a policy file',
  sets: 'Recovery points of several tables at one instant',
  snapshots: 'List recovery points, read them again, keep them, and remove those that nothing keeps',
  token: 'Create tokens for agents and people',
  wal: 'Archive WAL, fetch it back, and prove the archive',
}
