/** Rebuilds the list of recovery points from the object store alone, which is the truth. */
import type { RelationName } from '#lib/kernel/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectInfo, ObjectStore, RecoveryPoint } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import {
  decodeManifest,
  isManifestKey,
  manifestKey,
  partMismatch,
  SNAPSHOT_PREFIX,
  tablePrefix,
} from '../manifest/index.ts'
import type { ScanProblem, ScanReport } from './model.ts'
import { pointFromManifest } from './point-record.ts'

/**
 * Read every manifest, check its digest, its place, and that its parts are there in the right size.
 *
 * Invariants: one bad snapshot is a problem in the report and never hides another
 * Effects:    reads; the content of parts is not hashed
 * Throws:     `STORAGE_UNREACHABLE`
 */
export async function scanPoints(objects: ObjectStore, relation?: RelationName): Promise<ScanReport> {
  const points: RecoveryPoint[] = []
  const problems: ScanProblem[] = []
  let objectCount = 0
  for await (const folder of snapshotFolders(objects, relation)) {
    objectCount += folder.objects.length
    const key = folder.objects.find((object) => isManifestKey(object.key))?.key
    if (key === undefined) {
      problems.push({ key: folder.prefix, code: 'NO_MANIFEST', reason: 'a capture was not finished, or is running' })
      continue
    }
    const outcome = await readPoint(objects, key, folder.objects)
    if ('code' in outcome) problems.push(outcome)
    else points.push(outcome)
  }
  points.sort((left, right) => compareText(sortText(right), sortText(left)))
  return { points, problems, objectCount }
}

export interface SnapshotFolder {
  readonly prefix: string
  readonly objects: readonly ObjectInfo[]
}

/** Objects come in key order, so a snapshot's own follow each other. */
export async function* snapshotFolders(objects: ObjectStore, relation?: RelationName): AsyncGenerator<SnapshotFolder> {
  let prefix: string | undefined
  let held: ObjectInfo[] = []
  for await (const object of listAll(objects, relation === undefined ? SNAPSHOT_PREFIX : tablePrefix(relation))) {
    const folder = object.key.slice(0, object.key.lastIndexOf('/') + 1)
    if (prefix !== undefined && folder !== prefix) {
      yield { prefix, objects: held }
      held = []
    }
    prefix = folder
    held.push(object)
  }
  if (prefix !== undefined) yield { prefix, objects: held }
}

export async function* listAll(objects: ObjectStore, prefix: string): AsyncGenerator<ObjectInfo> {
  let cursor: string | undefined
  do {
    const page = await objects.list(prefix, cursor)
    yield* page.objects
    cursor = page.cursor
  } while (cursor !== undefined)
}

/** The point of a manifest that proves itself and has its parts beside it, or what is wrong. Throws `STORAGE_UNREACHABLE`. */
export async function readPoint(
  objects: ObjectStore,
  key: string,
  siblings: readonly ObjectInfo[],
): Promise<RecoveryPoint | ScanProblem> {
  try {
    const { manifest, sha256 } = decodeManifest(await objects.read(key))
    assertInPlace(manifest, key, siblings)
    return pointFromManifest(manifest, key, sha256)
  } catch (error) {
    if (!isBackstopError(error) || error.kind === 'dependency') throw error
    return { key, code: error.code, reason: error.message }
  }
}

function assertInPlace(manifest: Manifest, key: string, siblings: readonly ObjectInfo[]): void {
  if (manifestKey(manifest.relation, manifest.snapshotId) !== key) throw partMismatch(key)
  const sizes = new Map(siblings.map((object) => [object.key, object.sizeBytes]))
  for (const part of manifest.parts) if (sizes.get(part.key) !== part.sizeBytes) throw partMismatch(part.key)
}

function sortText(point: RecoveryPoint): string {
  return `${point.capturedAt}#${point.snapshotId}`
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
