export { pitrBaseBackup } from './base-backup.ts'
export { pitrList } from './list.ts'
export { pitrPrepareRestore } from './prepare-restore.ts'
