export { discardParts } from './capture-range.ts'
export type { CapturedTable } from './capture-table.ts'
export { captureTable } from './capture-table.ts'
export { SOURCE_SQL } from './catalog-sql.ts'
export type { DigestColumn } from './content-digest.ts'
export { buildDigestQuery } from './content-digest.ts'
export type { BaseType } from './encoding.ts'
export { planEncoding, widerEncoding } from './encoding.ts'
export type {
  CapturePorts,
  CaptureRequest,
  FoundRelation,
  RangeHelpers,
  RangeOrder,
  RangeOutcome,
  RangePorts,
} from './model.ts'
export { verifyPart } from './part-writer.ts'
export { findRelation, readDefinition } from './read-definition.ts'
export type { HelperSizes, ImportPorts } from './session-helpers.ts'
export { captureImported, sessionHelpers } from './session-helpers.ts'
export { FIXED_SETTINGS } from './settings.ts'
export type { ExportedSnapshot } from './transaction.ts'
export {
  inCallersSnapshot,
  inExportedSnapshot,
  inImportedSnapshot,
  inOwnTransaction,
  SNAPSHOT_GONE_STATES,
} from './transaction.ts'
