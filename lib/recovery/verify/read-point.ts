/** Reads everything of a stored point again and compares it with what its manifest and the catalog say. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { Columnar, ObjectStore, RecoveryPoint } from '#lib/ports/index.ts'
import { decodeManifest, partMismatch, SNAPSHOT_PREFIX, snapshotPrefix } from '../manifest/index.ts'
import { verifyPart } from '../snapshot/index.ts'

export interface ReadPorts {
  readonly objects: ObjectStore
  readonly columnar: Columnar
}

export type PointVerdict =
  /** `strays`: objects in its folder that the manifest does not name. */
  | { readonly kind: 'whole'; readonly strays: readonly string[] }
  | { readonly kind: 'corrupt'; readonly reason: string }
  /** The storage would not say. */
  | { readonly kind: 'unknown'; readonly reason: string }

const CORRUPT_CODES: ReadonlySet<string> = new Set(['SNAPSHOT_CORRUPT', 'MANIFEST_INVALID', 'OBJECT_MISSING'])

/** A point is corrupt only when two readings in a row say so, and when the storage holds snapshots at all. */
export async function judgePoint(
  ports: ReadPorts,
  point: RecoveryPoint,
  onBytes: (count: number) => void,
): Promise<PointVerdict> {
  const first = await readOnce(ports, point, onBytes)
  if (first.kind !== 'corrupt') return first
  const second = await readOnce(ports, point, onBytes)
  if (second.kind !== 'corrupt') return second
  return (await holdsSnapshots(ports.objects)) ? second : { kind: 'unknown', reason: EMPTY_STORAGE }
}

const EMPTY_STORAGE =
  'the storage holds no snapshot at all: it may be another location than the one written to, or not mounted; ' +
  'if it was emptied on purpose, "backstop snapshot --table <table>" begins anew'

async function readOnce(
  ports: ReadPorts,
  point: RecoveryPoint,
  onBytes: (count: number) => void,
): Promise<PointVerdict> {
  try {
    return { kind: 'whole', strays: await readAll(ports, point, onBytes) }
  } catch (error) {
    if (!isBackstopError(error)) throw error
    if (CORRUPT_CODES.has(error.code)) return { kind: 'corrupt', reason: error.message }
    if (error.kind === 'dependency' && error.code !== 'RUN_STOPPED') return { kind: 'unknown', reason: error.message }
    throw error
  }
}

/** Throws `SNAPSHOT_CORRUPT`, `MANIFEST_INVALID`, `OBJECT_MISSING`, `STORAGE_UNREACHABLE`. */
async function readAll(
  ports: ReadPorts,
  point: RecoveryPoint,
  onBytes: (count: number) => void,
): Promise<readonly string[]> {
  const bytes = await ports.objects.read(point.manifestKey)
  onBytes(bytes.length)
  const { manifest } = decodeManifest(bytes, point.manifestSha256)
  let rowCount = 0
  for (const part of manifest.parts) {
    await verifyPart(ports, part, onBytes)
    rowCount += part.rowCount
  }
  const { content } = manifest
  if (content.columns.length > 0 && rowCount !== content.rowCount) throw partMismatch(point.manifestKey)
  if (manifest.snapshotId !== point.snapshotId) {
    throw new BackstopError('SNAPSHOT_CORRUPT', 'the manifest is that of another snapshot')
  }
  const named = new Set([point.manifestKey, ...manifest.parts.map(({ key }) => key)])
  const { objects } = await ports.objects.list(snapshotPrefix(point.relation, point.snapshotId))
  return objects.map(({ key }) => key).filter((key) => !named.has(key))
}

async function holdsSnapshots(objects: ObjectStore): Promise<boolean> {
  return (await objects.list(SNAPSHOT_PREFIX)).objects.length > 0
}
