/** Where pre-images lie: an object each, and a record that says what it must be and whether it was used. */
import type { AuditId, JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordInput, RecordKey, RecordStore } from '#lib/ports/index.ts'
import { decodeImage, encodeImage, undoKey } from './codec.ts'
import type { UndoImage, UndoRecord } from './model.ts'

export interface ShelvedImage {
  readonly record: UndoRecord
  readonly version: number
}

const SECONDS_PER_DAY = 86_400

const keyOf = (auditId: AuditId): RecordKey => ({ partition: `undo#${auditId}`, sort: 'image' })

export class UndoShelf {
  readonly #objects: ObjectStore
  readonly #records: RecordStore

  constructor(objects: ObjectStore, records: RecordStore) {
    this.#objects = objects
    this.#records = records
  }

  /** Durable when it returns: the object first, so that no record names what is not there. */
  async put(auditId: AuditId, image: UndoImage, retentionDays: number): Promise<UndoRecord> {
    const objectKey = undoKey(auditId)
    const { sha256 } = await this.#objects.put(objectKey, await encodeImage(image), { ifAbsent: true })
    const rowCount = image.tables.reduce((sum, table) => sum + table.rows.length, 0)
    const { transactionId, keptAt } = image
    const record = { auditId, objectKey, sha256, transactionId, rowCount, keptAt }
    const expiresAtS = Math.ceil(Date.parse(keptAt) / 1_000) + retentionDays * SECONDS_PER_DAY
    await this.#records.write({ kind: 'create', record: this.#input(record, expiresAtS) })
    return record
  }

  async find(auditId: AuditId): Promise<ShelvedImage | undefined> {
    const stored = await this.#records.find(keyOf(auditId))
    return stored && { record: stored.body as unknown as UndoRecord, version: stored.version }
  }

  /** Throws UNDO_MISSING. */
  async get(auditId: AuditId): Promise<ShelvedImage> {
    const found = await this.find(auditId)
    if (found !== undefined) return found
    throw new BackstopError('UNDO_MISSING', `no pre-image is kept under ${auditId}`)
  }

  /** Throws UNDO_CORRUPT. */
  async read({ auditId, objectKey, sha256 }: UndoRecord): Promise<UndoImage> {
    try {
      return await decodeImage(await this.#objects.read(objectKey), sha256, auditId)
    } catch (error) {
      if (!isBackstopError(error, 'OBJECT_MISSING')) throw error
      throw new BackstopError('UNDO_CORRUPT', `the pre-image of ${auditId} is gone from the storage`, { cause: error })
    }
  }

  /** Throws RECORD_CHANGED when somebody else took it meanwhile. */
  async take({ record, version }: ShelvedImage, undoneBy: NonNullable<UndoRecord['undoneBy']>): Promise<void> {
    const stored = await this.#records.find(keyOf(record.auditId))
    const taken = this.#input({ ...record, undoneBy }, stored?.expiresAtS)
    await this.#records.write({ kind: 'replace', record: taken, expectedVersion: version })
  }

  async drop(auditId: AuditId): Promise<void> {
    const found = await this.find(auditId)
    if (found !== undefined) {
      await this.#records.write({ kind: 'delete', key: keyOf(auditId), expectedVersion: found.version })
    }
    await this.#objects.delete(undoKey(auditId))
  }

  #input(record: UndoRecord, expiresAtS: number | undefined): RecordInput {
    const body = record as unknown as JsonObject
    return { key: keyOf(record.auditId), body, ...(expiresAtS === undefined ? {} : { expiresAtS }) }
  }
}
