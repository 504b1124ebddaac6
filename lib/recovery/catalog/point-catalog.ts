/** Keeps recovery points in the record store: list, find, quarantine. */
import type { Instant, RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { BackstopError, instantFrom, isBackstopError, retryConflicts, SECOND_MS } from '#lib/kernel/index.ts'
import type {
  RecordInput,
  RecordKey,
  RecordQuery,
  RecordStore,
  RecordWrite,
  RecoveryPoint,
  StoredRecord,
} from '#lib/ports/index.ts'
import { encodeCheck, noteCheck } from './check-record.ts'
import type { PointFilter, PointPage } from './model.ts'
import { ALL_POINTS, decodePoint, encodePoint, idPartition, latestSort, tablePartition } from './point-record.ts'

const PAGE_RECORDS = 100
const REPLACE_ATTEMPTS = 5
/** Clocks of two machines that are this far apart count as equal. */
export const CLOCK_SKEW_MS = 5 * SECOND_MS

export class PointCatalog {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** Idempotent: a point that is known keeps its status. A valid one is due for a check from now on. */
  async add(point: RecoveryPoint): Promise<void> {
    await this.#create(writesOf(point))
  }

  /** As `add` of a point that is not known, in one transaction with `also`; false: nothing was written, one of them came too late. */
  async addWith(point: RecoveryPoint, also: RecordWrite): Promise<boolean> {
    try {
      await this.#records.transact([...writesOf(point), also])
      return true
    } catch (error) {
      if (isBackstopError(error, 'RECORD_EXISTS') || isBackstopError(error, 'RECORD_CHANGED')) return false
      throw error
    }
  }

  /** A record that is there already is left, and keeps no other from being made. */
  async #create(writes: readonly RecordWrite[]): Promise<void> {
    try {
      await this.#records.transact(writes)
    } catch (error) {
      if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
      if (writes.length > 1) for (const write of writes) await this.#create([write])
    }
  }

  async list(filter: PointFilter = {}): Promise<PointPage> {
    const page = await this.#records.query({
      ...placeOf(filter.relation),
      descending: true,
      limit: filter.limit ?? PAGE_RECORDS,
      ...(filter.cursor === undefined ? {} : { cursor: filter.cursor }),
    })
    const points = page.records.map(decodePoint)
    return page.cursor === undefined ? { points } : { points, cursor: page.cursor }
  }

  async find(snapshotId: SnapshotId): Promise<RecoveryPoint | undefined> {
    const record = await this.#findRecord(snapshotId)
    return record === undefined ? undefined : decodePoint(record)
  }

  /** `until`: leave out points that a wrong clock dated later than this. */
  async findNewestValid(relation: RelationName, until?: Instant): Promise<RecoveryPoint | undefined> {
    let cursor: string | undefined
    do {
      const page = await this.#records.query({
        ...placeOf(relation),
        descending: true,
        ...(until === undefined ? {} : { sortTo: latestSort(until) }),
        ...(cursor === undefined ? {} : { cursor }),
      })
      const valid = page.records.map(decodePoint).find((point) => point.status === 'valid')
      if (valid !== undefined) return valid
      cursor = page.cursor
    } while (cursor !== undefined)
    return undefined
  }

  /**
   * The newest valid point whose age can be trusted at `nowMs`. Only where there is none, one that a wrong clock has dated
   * later: its content is sound, but nothing says how old it is.
   */
  async findNewestTrusted(relation: RelationName, nowMs: number): Promise<RecoveryPoint | undefined> {
    const until = instantFrom(nowMs + CLOCK_SKEW_MS)
    return (await this.findNewestValid(relation, until)) ?? (await this.findNewestValid(relation))
  }

  /** Set one point aside; its neighbours stay as they are. One that is being removed stays that. Throws SNAPSHOT_MISSING. */
  async quarantine(snapshotId: SnapshotId, reason: string, at: Instant): Promise<RecoveryPoint> {
    return await this.#change(snapshotId, (point) =>
      point.status === 'retired'
        ? point
        : { ...point, status: 'quarantined', validationError: reason, quarantinedAt: point.quarantinedAt ?? at },
    )
  }

  /**
   * Mark a point that is to be removed, so that nobody is offered it any more; false when it is not as `planned` any more, or a
   * record exists at one of the keys `unless`.
   */
  async retire(planned: RecoveryPoint, unless: readonly RecordKey[]): Promise<boolean> {
    const record = await this.#findRecord(planned.snapshotId)
    if (record === undefined) return false
    const point = decodePoint(record)
    const isSame = point.status === planned.status && point.confirmedAt === planned.confirmedAt
    if (!isSame || point.status === 'retired') return false
    const retired: RecoveryPoint = { ...point, status: 'retired', retiredFrom: point.status }
    try {
      await this.#records.transact([
        { kind: 'replace', record: encodePoint(retired), expectedVersion: record.version },
        ...unless.map((key) => ({ kind: 'check', key, expectedVersion: 0 }) as const),
      ])
      return true
    } catch (error) {
      if (isBackstopError(error, 'RECORD_CHANGED')) return false
      throw error
    }
  }

  /** Take a retired point back as what it was. Throws SNAPSHOT_MISSING. */
  async reinstate(snapshotId: SnapshotId): Promise<RecoveryPoint> {
    return await this.#change(snapshotId, ({ retiredFrom, ...point }) =>
      retiredFrom === undefined ? point : { ...point, status: retiredFrom },
    )
  }

  /**
   * Offer a point again that was set aside and has proven whole; it is due for checks again. One that is not as it was `judged`
   * stays as it is. Throws SNAPSHOT_MISSING.
   */
  async readmit(judged: RecoveryPoint, at: Instant): Promise<RecoveryPoint> {
    return await retryConflicts(async () => {
      const record = await this.#findRecord(judged.snapshotId)
      if (record === undefined) throw new BackstopError('SNAPSHOT_MISSING', `there is no snapshot ${judged.snapshotId}`)
      const { validationError, quarantinedAt: _, ...point } = decodePoint(record)
      const isSame = point.status === 'quarantined' && validationError === judged.validationError
      if (!isSame) return decodePoint(record)
      const valid: RecoveryPoint = { ...point, status: 'valid' }
      const check = encodeCheck({ snapshotId: judged.snapshotId, lookedAt: at, verifiedAt: at })
      const known = await this.#records.find(check.key)
      await this.#records.transact([
        { kind: 'replace', record: encodePoint(valid), expectedVersion: record.version },
        known === undefined
          ? { kind: 'create', record: check }
          : { kind: 'replace', record: check, expectedVersion: known.version },
      ])
      return valid
    })
  }

  /** Forget a retired point whose objects are gone, and its check. Any other stays. */
  async forget(snapshotId: SnapshotId): Promise<void> {
    const record = await this.#findRecord(snapshotId)
    if (record !== undefined && decodePoint(record).status !== 'retired') return
    await noteCheck(this.#records, snapshotId, undefined)
    if (record === undefined) return
    try {
      await this.#records.write({ kind: 'delete', key: record.key, expectedVersion: record.version })
    } catch (error) {
      if (!isBackstopError(error, 'RECORD_CHANGED')) throw error
    }
  }

  /** Write `record` if a point is in the catalog and is not being removed; false otherwise, or when the record exists. */
  async createBeside(snapshotId: SnapshotId, record: RecordInput): Promise<boolean> {
    return await retryConflicts(async () => {
      const found = await this.#findRecord(snapshotId)
      if (found === undefined || decodePoint(found).status === 'retired') return false
      if ((await this.#records.find(record.key)) !== undefined) return false
      await this.#records.transact([
        { kind: 'check', key: found.key, expectedVersion: found.version },
        { kind: 'create', record },
      ])
      return true
    })
  }

  /** Note that the table is still as the point has it. Throws SNAPSHOT_MISSING. */
  async confirm(snapshotId: SnapshotId, at: Instant): Promise<RecoveryPoint> {
    return await this.#change(snapshotId, (point) => ({ ...point, confirmedAt: at }))
  }

  async #change(snapshotId: SnapshotId, change: (point: RecoveryPoint) => RecoveryPoint): Promise<RecoveryPoint> {
    for (let attempt = 1; ; attempt += 1) {
      const record = await this.#findRecord(snapshotId)
      if (record === undefined) throw new BackstopError('SNAPSHOT_MISSING', `there is no snapshot ${snapshotId}`)
      const point = change(decodePoint(record))
      try {
        await this.#records.write({ kind: 'replace', record: encodePoint(point), expectedVersion: record.version })
        return point
      } catch (error) {
        if (!isBackstopError(error, 'RECORD_CHANGED') || attempt === REPLACE_ATTEMPTS) throw error
      }
    }
  }

  async #findRecord(snapshotId: SnapshotId): Promise<StoredRecord | undefined> {
    const page = await this.#records.query({ partition: idPartition(snapshotId), index: 'index2', limit: 1 })
    const [listed] = page.records
    // An index may lag behind: it knows where the record is, not what became of it.
    return listed && (await this.#records.find(listed.key))
  }
}

function writesOf(point: RecoveryPoint): readonly RecordWrite[] {
  const write = { kind: 'create', record: encodePoint(point) } as const
  if (point.status !== 'valid') return [write]
  const { snapshotId, capturedAt } = point
  const check = encodeCheck({ snapshotId, lookedAt: capturedAt, verifiedAt: capturedAt })
  return [write, { kind: 'create', record: check }]
}

function placeOf(relation: RelationName | undefined): Pick<RecordQuery, 'partition' | 'index'> {
  return relation === undefined ? { partition: ALL_POINTS, index: 'index1' } : { partition: tablePartition(relation) }
}
