/** Keeps sets in the record store: one record a set, found by id, by time, and by the tables that are in it. */
import { z } from 'zod'
import type { Instant, RelationName, SetId } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError, jsonDigest, quoteRelation, retryConflicts } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordKey, RecordStore, RecoveryPoint, StoredRecord } from '#lib/ports/index.ts'
import type { PointCatalog } from '../catalog/index.ts'
import type { SealedSet } from './codec.ts'
import { setManifestKey } from './codec.ts'
import type { StoredSet } from './model.ts'
import { setManifestSchema } from './model.ts'

/** Partition of index1: every set by time. */
const ALL_SETS = 'recovery-set'
const PAGE_SETS = 20

const recordSchema = z.object({
  ...setManifestSchema.pick({ setId: true, origin: true, members: true }).shape,
  capturedAt: z.string().transform((text) => text as Instant),
  lsn: z.string(),
  selection: z.object({ kind: setManifestSchema.shape.selection.shape.kind, group: z.string().nullable() }),
  manifestKey: z.string(),
  manifestSha256: z.string(),
  /** Set when its list cannot be trusted. */
  problem: z.string().optional(),
})

type SetRecord = z.infer<typeof recordSchema>

export interface SetPage {
  /** Newest first. */
  readonly sets: readonly StoredSet[]
  readonly cursor?: string
}

export interface SetFilter {
  /** 1 to 100; 20 when absent. */
  readonly limit?: number
  readonly cursor?: string
}

export class SetCatalog {
  readonly #records: RecordStore
  readonly #points: PointCatalog

  constructor(records: RecordStore, points: PointCatalog) {
    this.#records = records
    this.#points = points
  }

  /** Idempotent: a set that is known stays as it is. */
  async add({ manifest, key, sha256 }: SealedSet): Promise<StoredSet> {
    const { setId, origin, members, selection } = manifest
    const record: SetRecord = {
      setId,
      origin,
      members,
      capturedAt: manifest.capturedAt as Instant,
      lsn: manifest.source.lsn,
      selection: { kind: selection.kind, group: selection.group },
      manifestKey: key,
      manifestSha256: sha256,
    }
    try {
      await this.#records.write({ kind: 'create', record: encodeRecord(record) })
    } catch (error) {
      if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
    }
    return await this.#judge(record)
  }

  async find(setId: SetId): Promise<StoredSet | undefined> {
    const record = await this.#records.find(setRecordKey(setId))
    return record === undefined ? undefined : await this.#judge(decodeRecord(record))
  }

  async list({ limit = PAGE_SETS, cursor }: SetFilter = {}): Promise<SetPage> {
    const from = cursor === undefined ? {} : { cursor }
    const page = await this.#records.query({ partition: ALL_SETS, index: 'index1', descending: true, limit, ...from })
    const sets = await Promise.all(page.records.map((record) => this.#judge(decodeRecord(record))))
    return page.cursor === undefined ? { sets } : { sets, cursor: page.cursor }
  }

  /**
   * The newest valid set of exactly these tables, with its members' points.
   */
  async findNewestValid(
    relations: readonly RelationName[],
  ): Promise<{ readonly set: StoredSet; readonly points: readonly RecoveryPoint[] } | undefined> {
    const partition = tablesPartition(relations)
    const page = await this.#records.query({ partition, index: 'index2', descending: true, limit: PAGE_SETS })
    for (const listed of page.records) {
      const record = await this.#records.find(listed.key)
      if (record === undefined) continue
      const { set, points } = await this.#look(decodeRecord(record))
      if (set.status === 'valid') return { set, points }
    }
    return undefined
  }

  /** The list of the set cannot be trusted; its members stay what they are. */
  async setAside(setId: SetId, problem: string): Promise<void> {
    await retryConflicts(async () => {
      const record = await this.#records.find(setRecordKey(setId))
      if (record === undefined) return
      const changed = encodeRecord({ ...decodeRecord(record), problem })
      await this.#records.write({ kind: 'replace', record: changed, expectedVersion: record.version })
    })
  }

  /** Forget a set, list and record, whatever becomes of its members; idempotent. */
  async remove(setId: string, objects: ObjectStore): Promise<void> {
    await retryConflicts(async () => {
      const record = await this.#records.find(setRecordKey(setId))
      if (record === undefined) return
      await this.#records.write({ kind: 'delete', key: record.key, expectedVersion: record.version })
    })
    await objects.delete(setManifestKey(setId as SetId))
  }

  async #judge(record: SetRecord): Promise<StoredSet> {
    return (await this.#look(record)).set
  }

  /** A set is as good as its members are now. */
  async #look({ problem, ...record }: SetRecord) {
    const found = await Promise.all(
      record.members.map(async (member) => ({ member, point: await this.#points.find(member.snapshotId) })),
    )
    const lacking = found.flatMap(({ member, point }) => {
      if (point?.status === 'valid') return []
      const state =
        point === undefined ? 'missing' : `${point.status}: ${point.validationError ?? 'no reason was noted'}`
      return [`snapshot ${member.snapshotId} of ${member.relation.schema}.${member.relation.name} is ${state}`]
    })
    const reason = problem ?? lacking[0]
    const set: StoredSet =
      reason === undefined ? { ...record, status: 'valid' } : { ...record, status: 'invalid', problem: reason }
    return { set, points: found.flatMap(({ point }) => (point === undefined ? [] : [point])) }
  }
}

function setRecordKey(setId: string): RecordKey {
  return { partition: `recovery-set/${setId}`, sort: 'set' }
}

function tablesPartition(relations: readonly RelationName[]): string {
  return `recovery-set-of/${jsonDigest(relations.map(quoteRelation).sort())}`
}

function encodeRecord(record: SetRecord) {
  const sort = `${record.capturedAt}#${record.setId}`
  const body = JSON.parse(JSON.stringify(record))
  return {
    key: setRecordKey(record.setId),
    body,
    indexes: {
      index1: { partition: ALL_SETS, sort },
      index2: { partition: tablesPartition(record.members.map(({ relation }) => relation)), sort },
    },
  }
}

function decodeRecord(record: StoredRecord): SetRecord {
  const read = recordSchema.safeParse(record.body)
  if (read.success) return read.data
  throw new BackstopError('RECORD_INVALID', `the record ${record.key.partition} is not a set`)
}
