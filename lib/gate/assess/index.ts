export { assess, bindFunctions, bindRelations } from './assess.ts'
export { findPartitionedTables, findRelatedTables } from './losing-tables.ts'
export type { Assessment, Impact, ImpactMethod, ResolvedFunction, ResolvedTarget } from './model.ts'
