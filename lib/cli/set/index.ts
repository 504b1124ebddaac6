export type { FoundSets } from './find-sets.ts'
export { findSets } from './find-sets.ts'
export { placeOf, readSetId, restoreSet, SET_PLACE_FLAGS, SET_RESTORE_JSON } from './restore-set.ts'
