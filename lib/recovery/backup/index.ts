export type { OnBytes, StoredContent } from './checked.ts'
export { proveContent, readChecked } from './checked.ts'
export type { BackupList, BackupProblem } from './shelf.ts'
export { assertFree, chooseBackupId, listAll, listManifests, readManifest, writeManifest } from './shelf.ts'
