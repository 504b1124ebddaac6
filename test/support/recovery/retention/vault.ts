/** A catalog and a storage with real adapters, and points of a few bytes that a scan accepts as whole. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { Instant, SnapshotId } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import { PointCatalog, pointFromManifest } from '#lib/recovery/catalog/index.ts'
import type { Manifest } from '#lib/recovery/manifest/index.ts'
import {
  encodeManifest,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
  manifestKey,
  snapshotPrefix,
} from '#lib/recovery/manifest/index.ts'
import type { RetentionPorts } from '#lib/recovery/retention/index.ts'
import type { FixedClock } from '#test/support/fixed-clock.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

export interface Vault {
  readonly clock: FixedClock
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly catalog: PointCatalog
  readonly folder: string
  readonly ports: RetentionPorts
  /** Sets that retention has forgotten. */
  readonly forgottenSets: string[]
  /** Write the objects of a point and put it into the catalog. */
  take(
    table: string,
    taken?: Partial<Pick<RecoveryPoint, 'capturedAt' | 'origin' | 'relationOid' | 'setId'>>,
  ): Promise<RecoveryPoint>
  close(): Promise<void>
}

const PART = Buffer.from('part')

export async function openVault(
  startMs: number,
  wrap: (objects: ObjectStore) => ObjectStore = (same) => same,
): Promise<Vault> {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-retention-'))
  const clock = createFixedClock(startMs)
  const random = { bytes: (count: number) => randomBytes(count) }
  const objects = wrap(await openFolderObjectStore({ root: join(folder, 'objects'), clock, random }))
  const records = openSqliteRecordStore({ path: join(folder, 'records.db'), clock })
  const catalog = new PointCatalog(records)
  const forgottenSets: string[] = []
  const removeSet = async (setId: string) => void forgottenSets.push(setId)
  let count = 0
  return {
    clock,
    objects,
    records,
    catalog,
    folder,
    forgottenSets,
    ports: { objects, records, catalog, clock, random, removeSet },
    take: async (table, taken = {}) => {
      count += 1
      const capturedAt = taken.capturedAt ?? (new Date(clock.nowMs()).toISOString() as Instant)
      return await writePoint({ objects, catalog }, table, count, { ...taken, capturedAt })
    },
    close: async () => {
      await records.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type Taken = Partial<Pick<RecoveryPoint, 'origin' | 'relationOid' | 'setId'>> & Pick<RecoveryPoint, 'capturedAt'>

/** Write the objects of a point and put it into the catalog; the same number gives the same id. */
export async function writePoint(
  { objects, catalog }: Pick<Vault, 'objects' | 'catalog'>,
  table: string,
  number: number,
  { capturedAt, relationOid = 1, origin = 'schedule', setId }: Taken,
): Promise<RecoveryPoint> {
  const snapshotId = `snap_${createHash('md5').update(String(number)).digest('hex')}` as SnapshotId
  const relation = { schema: 'public', name: table }
  const key = `${snapshotPrefix(relation, snapshotId)}part-00000.parquet`
  const { sha256 } = await objects.put(key, PART)
  const parts = [{ key, rowCount: 1, sizeBytes: PART.length, sha256 }]
  const manifest = { ...BARE, snapshotId, relation, capturedAt, relationOid, origin, parts } as unknown as Manifest
  const sealed = encodeManifest(manifest)
  await objects.put(manifestKey(relation, snapshotId), sealed.bytes)
  const named = pointFromManifest(manifest, manifestKey(relation, snapshotId), sealed.sha256)
  const point = setId === undefined ? named : { ...named, setId }
  await catalog.add(point)
  return point
}

/** Every field that a manifest must have. */
const BARE = {
  format: MANIFEST_FORMAT,
  version: MANIFEST_VERSION,
  source: { database: 'test', serverVersion: 180_000, encoding: 'UTF8', lsn: '0/0', stateMark: null },
  definition: {
    kind: 'table',
    isUnlogged: false,
    owner: 'owner',
    comment: null,
    accessMethod: null,
    tablespace: null,
    options: [],
    toastOptions: [],
    rowSecurity: 'off',
    replicaIdentity: 'default',
    grants: [],
    columns: [],
    constraints: [],
    indexes: [],
    triggers: [],
    policies: [],
    rules: [],
    statistics: [],
    parents: [],
    partitionBound: null,
    partitionKey: null,
    partitions: [],
    incomingForeignKeys: [],
    dependents: [],
  },
  content: { columns: [], rowCount: 1, digest: '1' },
}

/** Ids in the catalog, in the order of capture. */
export async function allPoints({ catalog }: Pick<Vault, 'catalog'>): Promise<readonly RecoveryPoint[]> {
  const points: RecoveryPoint[] = []
  let cursor: string | undefined
  do {
    const page = await catalog.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) })
    points.push(...page.points)
    cursor = page.cursor
  } while (cursor !== undefined)
  return points.reverse()
}
