export { showPrepared, TARGET_FLAGS } from './prepare-restore.ts'
export { restoreCommandLine } from './restore-command.ts'
export { baseBackupData, baseBackupTable } from './view.ts'
