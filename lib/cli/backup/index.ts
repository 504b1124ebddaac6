export { programFlag, showBytes } from './flags.ts'
export { backupData, backupTable } from './view.ts'
