/** A base backup: the files of one server as one compressed tar, and the manifest that proves each of them. */
import { z } from 'zod'
import type { Instant } from '#lib/kernel/index.ts'
import type { Clock, LocalFiles, NativeTools, ObjectStore, Random } from '#lib/ports/index.ts'
import type { OnBytes } from '../backup/index.ts'
import { encodeSegment } from '../manifest/index.ts'

export const clusterFolder = (clusterId: string) => `backups/physical/${encodeSegment(clusterId)}/`
export const baseFolder = (clusterId: string, backupId: string) => `${clusterFolder(clusterId)}${backupId}/`
export const contentKey = (clusterId: string, backupId: string) => `${baseFolder(clusterId, backupId)}base.tar.zst`

const instant = z.iso.datetime().transform((text) => text as Instant)
const lsn = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/)

export const baseBackupSchema = z.object({
  format: z.literal('backstop-base-backup'),
  version: z.literal(1),
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
  content: z.object({ key: z.string(), sizeBytes: z.number(), sha256: z.string() }),
  totalBytes: z.number(),
  files: z.array(z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() })),
})

export type BaseBackup = z.infer<typeof baseBackupSchema>
export type BackedUpFile = BaseBackup['files'][number]

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
  readonly signal?: AbortSignal
  readonly onBytes?: OnBytes
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
