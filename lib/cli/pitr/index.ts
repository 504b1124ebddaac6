export { showPrepared, TARGET_FLAGS } from './prepare-restore.ts'
export { baseBackupData, baseBackupTable } from './view.ts'
