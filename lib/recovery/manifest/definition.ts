/** What a table is apart from its rows: everything that is needed to make it again. */
import { z } from 'zod'
import { requiredObjectSchema } from './required.ts'

const nameSchema = z.object({ schema: z.string(), name: z.string() })
const grantSchema = z.object({
  /** Role name; `PUBLIC` is the empty string. */
  grantee: z.string(),
  privilege: z.string(),
  isGrantable: z.boolean(),
})

const sequenceSchema = z.object({
  schema: z.string(),
  name: z.string(),
  /** `bigint`, `integer` or `smallint`. */
  type: z.string(),
  start: z.string(),
  increment: z.string(),
  minimum: z.string(),
  maximum: z.string(),
  cache: z.string(),
  isCycling: z.boolean(),
  lastValue: z.string(),
  isCalled: z.boolean(),
})

const columnSchema = z.object({
  name: z.string(),
  /** As `format_type` writes it with an empty search path. */
  type: z.string(),
  collation: nameSchema.nullable(),
  isNotNull: z.boolean(),
  /** Expression of the default, or of the generated column. */
  expression: z.string().nullable(),
  identity: z.enum(['always', 'by default']).nullable(),
  generated: z.enum(['stored', 'virtual']).nullable(),
  /** Set when the column owns a sequence (serial, identity). */
  sequence: sequenceSchema.nullable(),
  /** True when the default is plainly the next value of the owned sequence. */
  isSerial: z.boolean(),
  /** Only where it differs from the type's own. */
  storage: z.enum(['plain', 'external', 'extended', 'main']).nullable(),
  compression: z.enum(['pglz', 'lz4']).nullable(),
  statisticsTarget: z.number().int().nullable(),
  options: z.array(z.string()),
  comment: z.string().nullable(),
  grants: z.array(grantSchema),
})

const constraintSchema = z.object({
  name: z.string(),
  kind: z.enum(['check', 'foreign key', 'primary key', 'unique', 'exclusion', 'not null', 'trigger', 'other']),
  /** As `pg_get_constraintdef` writes it. */
  definition: z.string(),
  columns: z.array(z.string()),
  isValidated: z.boolean(),
  /** Made by the definition of a parent table. */
  isInherited: z.boolean(),
  references: nameSchema.nullable(),
  /** What precedes and follows the other table in a foreign key; null for other kinds, and where it could not be taken apart. */
  referenceHead: z.string().nullable(),
  referenceTail: z.string().nullable(),
  comment: z.string().nullable(),
})

const indexSchema = z.object({
  name: z.string(),
  isUnique: z.boolean(),
  isValid: z.boolean(),
  /** The constraint that made the index; such an index comes back with its constraint. */
  constraint: z.string().nullable(),
  /** What follows the table in `CREATE INDEX`, from USING on; null when the statement has an unexpected head. */
  tail: z.string().nullable(),
  definition: z.string(),
  /** Storage parameters. */
  options: z.array(z.string()).optional(),
  /** Made by the index of a partitioned parent. */
  isInherited: z.boolean().optional(),
  isClustered: z.boolean(),
  isReplicaIdentity: z.boolean(),
  comment: z.string().nullable(),
})

const triggerSchema = z.object({
  name: z.string(),
  definition: z.string(),
  /** What precedes and follows the table in the definition; null when it could not be taken apart. */
  head: z.string().nullable(),
  tail: z.string().nullable(),
  firing: z.enum(['origin', 'disabled', 'replica', 'always']),
  /** `schema.function(arguments)`. */
  function: z.string(),
  /** Made by the trigger of a partitioned parent. */
  isInherited: z.boolean().optional(),
  comment: z.string().nullable(),
})

const policySchema = z.object({
  name: z.string(),
  command: z.enum(['ALL', 'SELECT', 'INSERT', 'UPDATE', 'DELETE']),
  isPermissive: z.boolean(),
  /** Role names; `PUBLIC` is the empty string. */
  roles: z.array(z.string()),
  using: z.string().nullable(),
  withCheck: z.string().nullable(),
  comment: z.string().nullable(),
})

const namedDefinitionSchema = z.object({ name: z.string(), definition: z.string() })
const ruleSchema = namedDefinitionSchema.extend({
  firing: z.enum(['origin', 'disabled', 'replica', 'always']).optional(),
  comment: z.string().nullable().optional(),
})
const statisticsSchema = namedDefinitionSchema.extend({
  schema: z.string().optional(),
  target: z.number().int().nullable().optional(),
  comment: z.string().nullable().optional(),
})

/** A table by itself: of a partition this is all. */
export const tableSchema = z.object({
  kind: z.enum(['table', 'partitioned table']),
  isUnlogged: z.boolean(),
  owner: z.string(),
  comment: z.string().nullable(),
  accessMethod: z.string().nullable(),
  tablespace: z.string().nullable(),
  options: z.array(z.string()),
  toastOptions: z.array(z.string()),
  rowSecurity: z.enum(['off', 'on', 'forced']),
  replicaIdentity: z.enum(['default', 'nothing', 'full', 'index']),
  grants: z.array(grantSchema),
  columns: z.array(columnSchema),
  constraints: z.array(constraintSchema),
  indexes: z.array(indexSchema),
  triggers: z.array(triggerSchema),
  policies: z.array(policySchema),
  rules: z.array(ruleSchema),
  statistics: z.array(statisticsSchema),
  /** The composite type of a typed table. */
  ofType: z.string().nullable().optional(),
  /** Parents by inheritance or partitioning, in order. */
  parents: z.array(nameSchema),
  /** `FOR VALUES …` of a partition. */
  partitionBound: z.string().nullable(),
  /** `RANGE (…)` of a partitioned table. */
  partitionKey: z.string().nullable(),
})

export const tableDefinitionSchema = tableSchema.extend({
  /** Of every level, parents before their partitions. */
  partitions: z.array(
    z.object({
      schema: z.string(),
      name: z.string(),
      bound: z.string().nullable(),
      key: z.string().nullable(),
      parent: nameSchema,
      /** What the partition is by itself. Absent in older manifests. */
      definition: tableSchema.optional(),
    }),
  ),
  /** Foreign keys of other tables that refer to this one. */
  incomingForeignKeys: z.array(
    z.object({ table: nameSchema, name: z.string(), definition: z.string(), isValidated: z.boolean() }),
  ),
  /** Views, materialized views and functions that go with the table under CASCADE; listed, not kept. */
  dependents: z.array(z.string()),
  /** What it needs from outside, in an order in which it can be made. Absent in older manifests. */
  requires: z.array(requiredObjectSchema).optional(),
  /** Publications that name the table, with their column list and row filter. */
  publications: z
    .array(z.object({ name: z.string(), columns: z.array(z.string()).nullable(), where: z.string().nullable() }))
    .optional(),
  /** Listed, not set again: a label means something to its provider alone. */
  securityLabels: z
    .array(z.object({ provider: z.string(), label: z.string(), column: z.string().nullable() }))
    .optional(),
})

export type TableDefinition = z.infer<typeof tableDefinitionSchema>
export type PartitionDefinition = TableDefinition['partitions'][number]
export type ColumnDefinition = z.infer<typeof columnSchema>
export type ConstraintDefinition = z.infer<typeof constraintSchema>
export type IndexDefinition = z.infer<typeof indexSchema>
export type TriggerDefinition = z.infer<typeof triggerSchema>
export type PolicyDefinition = z.infer<typeof policySchema>
export type SequenceDefinition = z.infer<typeof sequenceSchema>
export type GrantDefinition = z.infer<typeof grantSchema>
