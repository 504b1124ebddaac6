/** Wires the slice together: captures, the catalog of points, and restores, over the ports that it is handed. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, ID_BYTES, instantFrom, isBackstopError, newId } from '#lib/kernel/index.ts'
import type {
  Clock,
  Columnar,
  Database,
  DatabaseSession,
  ObjectStore,
  Random,
  RecordStore,
  RecoveryPoint,
  RecoveryPointOrigin,
  RecoveryPoints,
} from '#lib/ports/index.ts'
import type { PointFilter, PointPage, ScanReport } from './catalog/index.ts'
import { findHeartbeat, PointCatalog, pointFromManifest, scanPoints } from './catalog/index.ts'
import type { RoundPolicy, RoundReport } from './round/index.ts'
import { runCaptureRound } from './round/index.ts'
import type { CapturePorts, FoundRelation } from './snapshot/index.ts'
import { captureTable, inCallersTransaction, inOwnTransaction } from './snapshot/index.ts'

export interface RecoveryOptions {
  readonly database: Database
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly columnar: Columnar
  readonly clock: Clock
  readonly random: Random
}

export interface Recovery extends RecoveryPoints {
  list(filter?: PointFilter): Promise<PointPage>
  find(snapshotId: SnapshotId): Promise<RecoveryPoint | undefined>
  /** Straight from the object store; needs no metadata. */
  scan(relation?: RelationName): Promise<ScanReport>
  /** Put what a scan finds into the catalog; returns the report. */
  rebuildCatalog(): Promise<ScanReport>
  quarantine(snapshotId: SnapshotId, reason: string): Promise<RecoveryPoint>
  runRound(policy: RoundPolicy): Promise<RoundReport>
}

export function openRecovery(options: RecoveryOptions): Recovery {
  const { database, objects, records } = options
  const catalog = new PointCatalog(records)
  const capturer = new Capturer(options, catalog)
  const capture = (relation: RelationName, origin: RecoveryPointOrigin) => capturer.capture(relation, origin)
  return {
    capture,
    captureWithin: (session, relations, origin) => capturer.captureWithin(session, relations, origin),
    findNewestValid: (relation) => catalog.findNewestValid(relation),
    findHeartbeat: () => findHeartbeat(records),
    list: (filter) => catalog.list(filter),
    find: (snapshotId) => catalog.find(snapshotId),
    scan: (relation) => scanPoints(objects, relation),
    rebuildCatalog: async () => {
      const report = await scanPoints(objects)
      for (const point of report.points) await catalog.add(point)
      return report
    },
    quarantine: (snapshotId, reason) => catalog.quarantine(snapshotId, reason),
    runRound: (policy) =>
      runCaptureRound({ database, objects, records, catalog, clock: options.clock, capture }, policy),
  }
}

class Capturer {
  readonly #options: RecoveryOptions
  readonly #catalog: PointCatalog
  readonly #ports: CapturePorts

  constructor(options: RecoveryOptions, catalog: PointCatalog) {
    this.#options = options
    this.#catalog = catalog
    this.#ports = { objects: options.objects, columnar: options.columnar, databaseLabel: options.database.label }
  }

  async capture(relation: RelationName, origin: RecoveryPointOrigin): Promise<RecoveryPoint> {
    return await inOwnTransaction(this.#options.database, relation, (session, found, lsn) =>
      this.#captureFound(session, found, { lsn, origin, isSnapshotOwn: true }),
    )
  }

  async captureWithin(
    session: DatabaseSession,
    relations: readonly RelationName[],
    origin: RecoveryPointOrigin,
  ): Promise<readonly RecoveryPoint[]> {
    const points: RecoveryPoint[] = []
    for (const relation of relations) {
      points.push(
        await inCallersTransaction(session, relation, (inner, found, lsn) =>
          this.#captureFound(inner, found, { lsn, origin, isSnapshotOwn: false }),
        ),
      )
    }
    return points
  }

  async #captureFound(
    session: DatabaseSession,
    found: FoundRelation,
    how: { readonly lsn: string; readonly origin: RecoveryPointOrigin; readonly isSnapshotOwn: boolean },
  ): Promise<RecoveryPoint> {
    const snapshotId = newId('snap', this.#options.random.bytes(ID_BYTES))
    const capturedAtMs = this.#options.clock.nowMs()
    const request = { ...how, relation: found.relation, snapshotId, capturedAtMs }
    try {
      const captured = await captureTable(session, found, request, this.#ports)
      const point = pointFromManifest(captured.manifest, captured.manifestKey, captured.manifestSha256)
      await this.#catalog.add(point)
      return point
    } catch (error) {
      await this.#noteInvalid(found, snapshotId, capturedAtMs, how.origin, error)
      throw error
    }
  }

  /** A table that cannot be captured exactly is listed as such; other failures leave no point at all. */
  async #noteInvalid(
    found: FoundRelation,
    snapshotId: SnapshotId,
    capturedAtMs: number,
    origin: RecoveryPointOrigin,
    error: unknown,
  ): Promise<void> {
    if (!(error instanceof BackstopError) || !isBackstopError(error, 'COLUMN_TYPE_UNSUPPORTED')) return
    await this.#catalog.add({
      snapshotId,
      relation: found.relation,
      relationOid: found.oid,
      status: 'invalid',
      validationError: error.message,
      origin,
      capturedAt: instantFrom(capturedAtMs),
      rowCount: 0,
      sizeBytes: 0,
      manifestKey: '',
      manifestSha256: '',
    })
  }
}
