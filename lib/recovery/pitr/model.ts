/** A base backup: the files of one server as a compressed tar, one more for each tablespace, and the manifest that proves each of them. */
import { z } from 'zod'
import type { Instant } from '#lib/kernel/index.ts'
import type { Clock, LocalFiles, NativeTools, ObjectStore, Random } from '#lib/ports/index.ts'
import type { OnBytes } from '../backup/index.ts'
import { encodeSegment } from '../manifest/index.ts'

export const clusterFolder = (clusterId: string) => `backups/physical/${encodeSegment(clusterId)}/`
export const baseFolder = (clusterId: string, backupId: string) => `${clusterFolder(clusterId)}${backupId}/`
export const contentKey = (clusterId: string, backupId: string) => `${baseFolder(clusterId, backupId)}base.tar.zst`

export const tablespaceKey = (clusterId: string, backupId: string, oid: string) =>
  `${baseFolder(clusterId, backupId)}${oid}.tar.zst`

const instant = z.iso.datetime().transform((text) => text as Instant)
const lsn = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/)

const content = z.object({ key: z.string(), sizeBytes: z.number(), sha256: z.string() })
const files = z.array(z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() }))

const tablespace = z.object({
  oid: z.string().regex(/^[1-9]\d*$/),
  /** Of the server that was backed up. */
  location: z.string().startsWith('/'),
  content,
  totalBytes: z.number(),
  /** Paths below the location. */
  files,
})

export const baseBackupSchema = z.object({
  format: z.literal('backstop-base-backup'),
  /** 2 with tablespaces: a reader of version 1 would leave them out without a word. */
  version: z.union([z.literal(1), z.literal(2)]),
  backupId: z.string(),
  clusterId: z.string(),
  systemIdentifier: z.string(),
  /** Major version: the content of PG_VERSION. */
  serverVersion: z.string(),
  toolVersion: z.string(),
  startedAt: instant,
  /** The server had ended the backup by then: the earliest moment that it can be recovered to. */
  consistentAt: instant,
  finishedAt: instant,
  timeline: z.number().int(),
  startLsn: lsn,
  /** The server is consistent from here on. */
  stopLsn: lsn,
  segmentBytes: z.number().int(),
  content,
  /** Of all files, those of tablespaces too. */
  totalBytes: z.number(),
  files,
  tablespaces: z.array(tablespace).default([]),
})

export type BaseBackup = z.infer<typeof baseBackupSchema>
export type BackedUpFile = BaseBackup['files'][number]
export type BackedUpTablespace = BaseBackup['tablespaces'][number]

export interface PitrPorts {
  readonly objects: ObjectStore
  readonly tools: NativeTools
  readonly files: LocalFiles
  readonly clock: Clock
  readonly random: Random
}

export interface BaseBackupOrder {
  readonly serverUrl: string
  readonly clusterId: string
  readonly backupId?: string | undefined
  /** Where a server with tablespaces is copied to first; absent: among the temporary files. */
  readonly scratchFolder?: string | undefined
  /** Before that copy is written. */
  readonly onScratch?: (need: ScratchNeed) => void
  readonly signal?: AbortSignal
  readonly onBytes?: OnBytes
}

export interface ScratchNeed {
  readonly folder: string
  /** Without WAL. */
  readonly neededBytes: number
  readonly freeBytes: number
}

/** A location of the server that was backed up, and where that tablespace is to go. */
export interface TablespaceMapping {
  readonly from: string
  readonly to: string
}

export type RecoveryTarget =
  | { readonly kind: 'time'; readonly text: string }
  | { readonly kind: 'lsn'; readonly text: string }
  | { readonly kind: 'name'; readonly text: string }

export type TargetAction = 'pause' | 'promote' | 'shutdown'

export interface PrepareOrder {
  readonly clusterId: string
  /** Absent: the newest that the target can be reached from. */
  readonly backupId?: string | undefined
  readonly folder: string
  /** What is not in it goes to `<folder>.tablespaces/<oid>`. */
  readonly tablespaceMappings?: readonly TablespaceMapping[]
  /** Absent: the end of the archive. */
  readonly target?: RecoveryTarget | undefined
  readonly targetAction: TargetAction
  /** `latest`, `current` or a number. */
  readonly targetTimeline: string
  /** Off: the server that comes up never writes into the archive. */
  readonly isArchiving: boolean
  readonly isReplacing: boolean
  /** The line of restore_command, for a shell, with `%f` and `%p`. */
  readonly restoreCommand: string
  readonly onBytes?: OnBytes
}
