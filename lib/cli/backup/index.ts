export { patterns, programFlag, showBytes } from './flags.ts'
export { backupLogicalCreate } from './logical-create.ts'
export { backupLogicalList } from './logical-list.ts'
export { backupLogicalRestore } from './logical-restore.ts'
