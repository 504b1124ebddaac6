export type { FoundPoints, TableFilter } from './find-points.ts'
export { findPoints } from './find-points.ts'
export { snapshotsList, tableFilter } from './list.ts'
export { snapshotTake } from './take.ts'
