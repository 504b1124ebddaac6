export type { FoundPoints, TableFilter } from './find-points.ts'
export { findPoints } from './find-points.ts'
export { tableFilter } from './list.ts'
export { pointTable } from './point-view.ts'
