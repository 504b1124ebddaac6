/** The manifest: what a snapshot is, what lies under it, and the digests that prove both. */
import { z } from 'zod'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { PLAIN_ENCODINGS } from '../copy/index.ts'
import { tableDefinitionSchema } from './definition.ts'

export const MANIFEST_FORMAT = 'backstop-snapshot'
export const MANIFEST_VERSION = 1

const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .transform((text) => text as Sha256Hex)
const bareEncodingSchema = z.object({ kind: z.enum(PLAIN_ENCODINGS) })
const decimalEncodingSchema = z.object({
  kind: z.literal('decimal'),
  precision: z.number().int(),
  scale: z.number().int(),
})

export const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  version: z.literal(MANIFEST_VERSION),
  snapshotId: z
    .string()
    .regex(/^snap_[0-9a-f]{32}$/)
    .transform((text) => text as `snap_${string}`),
  relation: z.object({ schema: z.string(), name: z.string() }),
  relationOid: z.number().int(),
  origin: z.enum(['schedule', 'demand', 'final', 'manual']),
  capturedAt: z.iso.datetime(),
  /** The set that the table was captured in, with others at one instant; whether that set came about is not said here. */
  setId: z
    .string()
    .regex(/^set_[0-9a-f]{32}$/)
    .transform((text) => text as `set_${string}`)
    .optional(),
  source: z.object({
    /** `host:port/name`. */
    database: z.string(),
    serverVersion: z.number().int(),
    encoding: z.string(),
    /** WAL position before the snapshot was taken: everything older is in it. */
    lsn: z.string(),
    /** `pg_current_snapshot()` and the server's start, when the capture had a transaction of its own: see docs/formats/snapshot.md. */
    stateMark: z.string().nullable(),
  }),
  definition: tableDefinitionSchema,
  content: z.object({
    /** The columns that are stored, in order: all but generated ones. */
    columns: z.array(
      z.object({
        name: z.string(),
        encoding: z.union([bareEncodingSchema, decimalEncodingSchema]),
        /** How the digest takes the column in: by itself, or within the text of the row. */
        isHashed: z.boolean(),
        /** The array type as which it is read, where the output of its own type leaves something out. */
        readAs: z.enum(['text[]', 'oid[]']).optional(),
      }),
    ),
    rowCount: z.number().int().nonnegative(),
    /** Order-free digest that the database computed of the same rows. */
    digest: z.string(),
  }),
  parts: z.array(
    z.object({
      key: z.string(),
      rowCount: z.number().int().positive(),
      sizeBytes: z.number().int().positive(),
      sha256: sha256Schema,
    }),
  ),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestPart = Manifest['parts'][number]
export type ContentColumn = Manifest['content']['columns'][number]
