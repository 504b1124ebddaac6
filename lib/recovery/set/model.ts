/** What a set is: its manifest, what it is selected by, and what is told of it. */
import { z } from 'zod'
import type { Instant, RelationName, SetId, Sha256Hex, SnapshotId } from '#lib/kernel/index.ts'

export const SET_FORMAT = 'backstop-set'
export const SET_VERSION = 1
/** Its record and the locks of its capture stay well within their limits. */
export const MAX_MEMBERS = 500

/** How the tables of a set were named. */
export type SelectionKind = 'tables' | 'group' | 'connected' | 'dependencies'

export interface SetSelection {
  /**
   * `tables`, `group`: just these. `connected`: with all that foreign keys join to them, in both directions.
   * `dependencies`: with all that they refer to.
   */
  readonly kind: SelectionKind
  readonly tables: readonly RelationName[]
  /** Name of a recovery group of the policy. */
  readonly group?: string
}

const relationSchema = z.object({ schema: z.string(), name: z.string() })
const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => text as Sha256Hex)

const keySchema = z.object({
  name: z.string(),
  /** The table that refers. */
  table: relationSchema,
  columns: z.array(z.string()),
  references: relationSchema,
  referencedColumns: z.array(z.string()),
})

const memberSchema = z.object({
  relation: relationSchema,
  relationOid: z.number().int(),
  snapshotId: z
    .string()
    .regex(/^snap_[0-9a-f]{32}$/)
    .transform((text) => text as SnapshotId),
  manifestKey: z.string(),
  manifestSha256: sha256Schema,
  rowCount: z.number().int().nonnegative(),
  sizeBytes: z.number().int().nonnegative(),
})

export const setManifestSchema = z.object({
  format: z.literal(SET_FORMAT),
  version: z.literal(SET_VERSION),
  setId: z
    .string()
    .regex(/^set_[0-9a-f]{32}$/)
    .transform((text) => text as SetId),
  origin: z.enum(['schedule', 'demand', 'final', 'manual']),
  capturedAt: z.iso.datetime(),
  selection: z.object({
    kind: z.enum(['tables', 'group', 'connected', 'dependencies']),
    group: z.string().nullable(),
    tables: z.array(relationSchema),
  }),
  source: z.object({
    /** `host:port/name`. */
    database: z.string(),
    /** WAL position before the members were read: everything older is in every one of them. */
    lsn: z.string(),
    /** `pg_current_snapshot()` of the snapshot that all members share; under locks, of the moment after they were held. */
    snapshot: z.string(),
    /** `exported`: one snapshot, imported by every session. `locked`: the caller's locks kept every writer out. */
    heldBy: z.enum(['exported', 'locked']),
  }),
  /** Each after those that it refers to, as far as there is no circle. */
  members: z.array(memberSchema).min(1).max(MAX_MEMBERS),
  /** Members that refer to each other in a circle. */
  circles: z.array(z.array(relationSchema)),
  keys: z.object({
    /** Between members, also of one to itself. */
    inside: z.array(keySchema),
    /** From a member to a table outside. */
    outgoing: z.array(keySchema),
    /** From a table outside to a member. */
    incoming: z.array(keySchema),
  }),
})

export type SetManifest = z.infer<typeof setManifestSchema>
export type SetMember = SetManifest['members'][number]
export type SetKey = z.infer<typeof keySchema>

/** A set as it is listed. */
export interface StoredSet {
  readonly setId: SetId
  /** Invalid as soon as one member is not valid; its other members stay valid alone. */
  readonly status: 'valid' | 'invalid'
  /** Why it is not valid. */
  readonly problem?: string
  readonly origin: SetManifest['origin']
  readonly capturedAt: Instant
  readonly lsn: string
  readonly selection: { readonly kind: SelectionKind; readonly group: string | null }
  readonly members: readonly SetMember[]
  readonly manifestKey: string
  readonly manifestSha256: string
}

/** What a capture of several tables would take, and why. */
export interface SetPlan {
  /** Each after those that it refers to, as far as there is no circle. */
  readonly members: readonly RelationName[]
  readonly circles: readonly (readonly RelationName[])[]
  readonly keys: SetManifest['keys']
  /** What the reader may not expect: partitions, inheritance. */
  readonly notes: readonly string[]
}

/** A table of the database and how it hangs together with others. */
export interface GraphTable {
  readonly relation: RelationName
  readonly oid: number
  readonly kind: 'table' | 'partitioned table'
  /** The table that this is a partition of, or that it inherits from. */
  readonly parents: readonly RelationName[]
  readonly isPartition: boolean
}

export interface TableGraph {
  readonly tables: readonly GraphTable[]
  readonly keys: readonly SetKey[]
}
