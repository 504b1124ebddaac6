/** What files of a base backup say about it. Pure. */
import { z } from 'zod'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, isSameDigest, sha256Hex } from '#lib/kernel/index.ts'
import type { BackedUpFile } from './model.ts'

const CONTROL_FILE_BYTES = 296

/** Files that are kept in memory while the others pass. */
export const FACT_FILES: ReadonlySet<string> = new Set([
  'PG_VERSION',
  'global/pg_control',
  'backup_label',
  'backup_manifest',
  'tablespace_map',
])

function corrupt(reason: string): never {
  throw new BackstopError('BACKUP_CORRUPT', `the base backup is not whole: ${reason}`)
}

const serverManifestSchema = z.object({
  Files: z.array(
    z.object({
      Path: z.string().optional(),
      'Encoded-Path': z.string().optional(),
      Size: z.number(),
      'Checksum-Algorithm': z.string(),
      Checksum: z.string(),
    }),
  ),
  'WAL-Ranges': z.array(z.object({ Timeline: z.number(), 'Start-LSN': z.string(), 'End-LSN': z.string() })).min(1),
})

export interface ServerManifest {
  readonly files: ReadonlyMap<string, { readonly sizeBytes: number; readonly sha256: string }>
  readonly timeline: number
  readonly startLsn: string
  readonly stopLsn: string
}

/**
 * Read the server's own `backup_manifest`, proven by its last line.
 *
 * Throws: BACKUP_CORRUPT
 * Source: PostgreSQL documentation, "Backup Manifest Format"
 */
export function readServerManifest(bytes: Uint8Array): ServerManifest {
  const text = Buffer.from(bytes).toString()
  const end = text.lastIndexOf('"Manifest-Checksum"')
  const checksum = /^"Manifest-Checksum": "([0-9a-f]{64})"/.exec(text.slice(Math.max(0, end)))?.[1]
  if (checksum === undefined) return corrupt("the server's manifest has no checksum")
  if (!isSameDigest(sha256Hex(text.slice(0, end)), checksum as Sha256Hex)) corrupt("the server's manifest is damaged")
  const { Files: files, 'WAL-Ranges': ranges } = serverManifestSchema.parse(JSON.parse(text))
  const own = files.map((file) => {
    const path = file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString()
    if (file['Checksum-Algorithm'] !== 'SHA256') corrupt(`the server gave no SHA-256 for ${path}`)
    return [path, { sizeBytes: file.Size, sha256: file.Checksum }] as const
  })
  const { Timeline: timeline, 'Start-LSN': startLsn, 'End-LSN': stopLsn } = ranges.at(-1) as (typeof ranges)[number]
  return { files: new Map(own), timeline, startLsn: ranges[0]?.['Start-LSN'] ?? startLsn, stopLsn }
}

/** Every file that the server sent has arrived as it was sent, and none besides, apart from WAL. Throws BACKUP_CORRUPT. */
export function compareWithServer(files: readonly BackedUpFile[], server: ServerManifest): void {
  const arrived = new Map(files.map((file) => [file.path, file]))
  for (const [path, { sizeBytes, sha256 }] of server.files) {
    const file = arrived.get(path) ?? corrupt(`${path} is missing`)
    const isSame = file.sizeBytes === sizeBytes && isSameDigest(file.sha256 as Sha256Hex, sha256 as Sha256Hex)
    if (!isSame) corrupt(`checksum mismatch of ${path}`)
  }
  for (const { path } of files) {
    if (!server.files.has(path) && path !== 'backup_manifest' && !path.startsWith('pg_wal/')) {
      corrupt(`${path} is not of the server's manifest`)
    }
  }
}

/** The first field of `global/pg_control`: unsigned 64 bits, decimal. Throws BACKUP_CORRUPT. */
export function readSystemIdentifier(control: Uint8Array | undefined): string {
  if (control === undefined || control.length < CONTROL_FILE_BYTES) return corrupt('global/pg_control is missing')
  return Buffer.from(control).readBigUInt64LE(0).toString()
}
