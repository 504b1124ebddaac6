/** Where a server's WAL lies in the storage, and which server it is of. */
import { z } from 'zod'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { decodeSealed, encodeSealed, listAll } from '../backup/index.ts'
import { encodeSegment } from '../manifest/index.ts'
import { findWalFile, hex8, type WalFile } from './name.ts'
import type { SegmentFacts } from './page-header.ts'

const SUFFIX = '.zst'

/** Throws CONFIG_INVALID for an empty or endless name. */
export function walPrefix(clusterId: string): string {
  if (clusterId === '' || clusterId.length > 100) {
    throw new BackstopError('CONFIG_INVALID', 'a --cluster-id has 1 to 100 characters')
  }
  return `wal/${encodeSegment(clusterId)}/`
}

const systemKey = (clusterId: string) => `${walPrefix(clusterId)}system.json`

export function walKey(clusterId: string, file: WalFile): string {
  return `${walPrefix(clusterId)}${hex8(file.timeline)}/${file.name}${SUFFIX}`
}

const systemSchema = z.object({
  format: z.literal('backstop-wal-system'),
  version: z.literal(1),
  systemIdentifier: z.string().regex(/^\d+$/),
  segmentBytes: z.number().int(),
})

/** Undefined before the first segment. Throws WAL_CORRUPT. */
export async function findSystem(objects: ObjectStore, clusterId: string): Promise<SegmentFacts | undefined> {
  try {
    return decodeSealed(await objects.read(systemKey(clusterId)), systemSchema)
  } catch (error) {
    if (isBackstopError(error, 'OBJECT_MISSING')) return undefined
    if (!isBackstopError(error, 'BACKUP_CORRUPT')) throw error
    throw new BackstopError('WAL_CORRUPT', `${systemKey(clusterId)} may be corrupted`, { cause: error })
  }
}

/**
 * The first server that comes owns the name.
 *
 * Throws: WAL_SYSTEM_MISMATCH for every other one
 */
export async function claimSystem(objects: ObjectStore, clusterId: string, facts: SegmentFacts): Promise<void> {
  const known = (await findSystem(objects, clusterId)) ?? (await writeSystem(objects, clusterId, facts))
  const { systemIdentifier, segmentBytes } = known
  if (systemIdentifier === facts.systemIdentifier && segmentBytes === facts.segmentBytes) return
  throw new BackstopError(
    'WAL_SYSTEM_MISMATCH',
    `the archive "${clusterId}" belongs to the system ${systemIdentifier}, this is ${facts.systemIdentifier}`,
  )
}

async function writeSystem(objects: ObjectStore, clusterId: string, facts: SegmentFacts): Promise<SegmentFacts> {
  const { systemIdentifier, segmentBytes } = facts
  const content = { format: 'backstop-wal-system', version: 1, systemIdentifier, segmentBytes }
  try {
    await objects.put(systemKey(clusterId), encodeSealed(content), { ifAbsent: true })
  } catch (error) {
    if (!isBackstopError(error, 'OBJECT_EXISTS')) throw error
  }
  // Also of two first ones at once there is one; and what was written can be read.
  return (await findSystem(objects, clusterId)) ?? facts
}

export interface ArchivedFile {
  readonly file: WalFile
  readonly key: string
  /** As stored, compressed. */
  readonly sizeBytes: number
  readonly modifiedAtMs: number
}

export interface ArchiveListing {
  /** By timeline, then by name. */
  readonly files: readonly ArchivedFile[]
  /** Objects under the prefix that are no file of the archive. */
  readonly strangers: readonly string[]
}

export async function listArchive(objects: ObjectStore, clusterId: string): Promise<ArchiveListing> {
  const files: ArchivedFile[] = []
  const strangers: string[] = []
  for await (const { key, sizeBytes, modifiedAtMs } of listAll(objects, walPrefix(clusterId))) {
    const file = findWalFile((key.split('/').at(-1) ?? '').replace(/\.zst$/, ''))
    if (file !== undefined && walKey(clusterId, file) === key) files.push({ file, key, sizeBytes, modifiedAtMs })
    else if (key !== systemKey(clusterId)) strangers.push(key)
  }
  return { files, strangers }
}
