/** A logical backup: one database as pg_dump wrote it, and the manifest that says so. */
import { z } from 'zod'
import type { Instant } from '#lib/kernel/index.ts'
import type { Clock, LocalFiles, NativeTools, ObjectStore, Random } from '#lib/ports/index.ts'
import type { OnBytes } from '../backup/index.ts'

export const LOGICAL_PREFIX = 'backups/logical/'

export const logicalFolder = (backupId: string) => `${LOGICAL_PREFIX}${backupId}/`
export const dumpKey = (backupId: string) => `${logicalFolder(backupId)}dump.pgcustom`

const instant = z.iso.datetime().transform((text) => text as Instant)

export const logicalSchema = z.object({
  format: z.literal('backstop-logical-backup'),
  version: z.literal(1),
  backupId: z.string(),
  databaseName: z.string(),
  serverVersion: z.string(),
  /** First line of `pg_dump --version`. */
  toolVersion: z.string(),
  excludeTables: z.array(z.string()),
  startedAt: instant,
  finishedAt: instant,
  content: z.object({ key: z.string(), sizeBytes: z.number(), sha256: z.string() }),
  /** Entries of the table of contents, and tables whose rows are in the dump. */
  entryCount: z.number(),
  tableCount: z.number(),
})

export type LogicalBackup = z.infer<typeof logicalSchema>

export interface LogicalPorts {
  readonly objects: ObjectStore
  readonly tools: NativeTools
  readonly files: LocalFiles
  readonly clock: Clock
  readonly random: Random
}

export interface CreateLogicalOrder {
  readonly databaseUrl: string
  /** Absent: `dump_` and 32 hexadecimal digits. */
  readonly backupId?: string | undefined
  readonly excludeTables?: readonly string[]
  /** Of a session that holds it until the dump is over. */
  readonly snapshotName?: string | undefined
  readonly signal?: AbortSignal
  readonly onBytes?: OnBytes
}

export interface RestoreLogicalOrder {
  readonly databaseUrl: string
  readonly backupId: string
  readonly isClean: boolean
  readonly isOwnerless: boolean
  /** More than one needs a file that can be sought in: the dump is copied to `temporaryFolder` first. */
  readonly jobs: number
  readonly temporaryFolder: string
  readonly signal?: AbortSignal
  readonly onBytes?: OnBytes
}
