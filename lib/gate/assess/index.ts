export { assess, bindFunctions, bindRelations } from './assess.ts'
export { findRelatedTables } from './losing-tables.ts'
export type { Assessment, Impact, ImpactMethod, ResolvedFunction, ResolvedTarget } from './model.ts'
