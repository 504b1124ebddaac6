export type { SealedManifest } from './codec.ts'
export { decodeManifest, encodeManifest, partMismatch } from './codec.ts'
export type {
  ColumnDefinition,
  ConstraintDefinition,
  GrantDefinition,
  IndexDefinition,
  PartitionDefinition,
  PolicyDefinition,
  SequenceDefinition,
  TableDefinition,
  TriggerDefinition,
} from './definition.ts'
export { tableDefinitionSchema, tableSchema } from './definition.ts'
export {
  encodeSegment,
  isManifestKey,
  manifestKey,
  partKey,
  SNAPSHOT_PREFIX,
  snapshotPrefix,
  tablePrefix,
} from './keys.ts'
export type { ContentColumn, Manifest, ManifestPart } from './model.ts'
export { MANIFEST_FORMAT, MANIFEST_VERSION, manifestSchema } from './model.ts'
export type { RequiredObject } from './required.ts'
