/** Takes recovery points and notes them in the catalog. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, ID_BYTES, instantFrom, newId } from '#lib/kernel/index.ts'
import type { DatabaseSession, RecordKey, RecoveryPoint, RecoveryPointOrigin } from '#lib/ports/index.ts'
import type { PointCatalog } from './catalog/index.ts'
import { beginCapture, endCapture, endOfCapture, pointFromManifest } from './catalog/index.ts'
import { snapshotPrefix } from './manifest/index.ts'
import type { RecoveryOptions } from './model.ts'
import type { CapturedTable, CapturePorts, CaptureRequest, FoundRelation } from './snapshot/index.ts'
import { captureTable, inOwnTransaction } from './snapshot/index.ts'
import type { StopOptions } from './stoppable.ts'
import { settleInTime } from './stoppable.ts'

/** Trying again would end the same way. */
const UNSTORABLE: ReadonlySet<string> = new Set(['COLUMN_TYPE_UNSUPPORTED', 'ROW_TOO_LARGE'])

/** `capturedAtMs`: now when absent; of a member of a set, when the snapshot was taken. */
export type CaptureOfFound = Omit<CaptureRequest, 'relation' | 'capturedAtMs'> &
  Partial<Pick<CaptureRequest, 'capturedAtMs'>>

export class Capturer {
  readonly #options: RecoveryOptions
  readonly #catalog: PointCatalog
  readonly #ports: CapturePorts

  constructor(options: RecoveryOptions, catalog: PointCatalog) {
    this.#options = options
    this.#catalog = catalog
    const { objects, columnar, random, database, helpers, maxRowBytes } = options
    const helped = helpers === undefined ? {} : { helpers }
    const limited = maxRowBytes === undefined ? {} : { maxRowBytes }
    this.#ports = { objects, columnar, random, databaseLabel: database.label, ...helped, ...limited }
  }

  async capture(relation: RelationName, origin: RecoveryPointOrigin, stop: StopOptions = {}): Promise<RecoveryPoint> {
    const snapshotId = this.#newSnapshotId()
    const work = inOwnTransaction(
      this.#options.database,
      relation,
      (session, found, { lsn, exportName }) =>
        this.captureFound(session, found, { snapshotId, lsn, origin, isSnapshotOwn: true, exportName }),
      stop.signal,
    )
    return await settleInTime(work, stop, displayRelation(relation), snapshotPrefix(relation, snapshotId))
  }

  /** Capture a relation that was found in the session's open transaction, and note the point. */
  async captureFound(session: DatabaseSession, found: FoundRelation, how: CaptureOfFound): Promise<RecoveryPoint> {
    const { capturedAtMs = this.#options.clock.nowMs() } = how
    const request = { ...how, relation: found.relation, capturedAtMs }
    const { records, clock } = this.#options
    const inHand = { snapshotId: how.snapshotId, relation: found.relation, relationOid: found.oid }
    const begun = await beginCapture(records, inHand, clock.nowMs())
    const captured = await this.#captureOrEnd(session, found, request, begun)
    const point = pointFromManifest(captured.manifest, captured.manifestKey, captured.manifestSha256)
    // Where this took so long that a round has entered the point, that is as good.
    if (!(await this.#catalog.addWith(point, endOfCapture(begun)))) await this.#catalog.add(point)
    return point
  }

  async #captureOrEnd(
    session: DatabaseSession,
    found: FoundRelation,
    request: CaptureRequest,
    begun: RecordKey,
  ): Promise<CapturedTable> {
    try {
      return await captureTable(session, found, request, this.#ports)
    } catch (error) {
      await endCapture(this.#options.records, begun).catch(() => undefined)
      await this.#noteInvalid(found, request, error)
      throw error
    }
  }

  #newSnapshotId(): SnapshotId {
    return newId('snap', this.#options.random.bytes(ID_BYTES))
  }

  /** A table that cannot be captured exactly is listed as such; other failures leave no point at all. */
  async #noteInvalid(
    found: FoundRelation,
    { snapshotId, capturedAtMs, origin }: CaptureRequest,
    error: unknown,
  ): Promise<void> {
    if (!(error instanceof BackstopError) || !UNSTORABLE.has(error.code)) return
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
