/** Column batches into part objects; each part is read back and hashed again as soon as it is written. */
import { createHash } from 'node:crypto'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ColumnarColumn, ColumnarWriter, ColumnBatch, ObjectUpload } from '#lib/ports/index.ts'
import type { ManifestPart } from '../manifest/index.ts'
import { partKey, partMismatch } from '../manifest/index.ts'
import type { RangeOrder, RangePorts } from './model.ts'

/** A part is closed after the group that passes this. */
export const PART_BYTES = 128 * 1024 * 1024

interface OpenPart {
  readonly key: string
  readonly upload: ObjectUpload
  readonly writer: ColumnarWriter
  rowCount: number
}

/** For names that no other attempt at the same range has. */
const ATTEMPT_BYTES = 4

/** Writes the parts of one range of a table. Either `finish` or `discard` ends it. */
export class PartWriter {
  readonly #ports: RangePorts
  readonly #order: Pick<RangeOrder, 'relation' | 'snapshotId' | 'range'>
  readonly #attempt: string
  readonly #columns: readonly ColumnarColumn[]
  readonly #written: string[] = []
  readonly #checks: Promise<ManifestPart>[] = []
  #open: OpenPart | undefined
  #isDiscarded = false
  /** What is being written or closed: it ends before anything is taken back. */
  #inHand: Promise<unknown> = Promise.resolve()

  constructor(
    ports: RangePorts,
    order: Pick<RangeOrder, 'relation' | 'snapshotId' | 'range'>,
    columns: readonly ColumnarColumn[],
  ) {
    this.#ports = ports
    this.#order = order
    this.#attempt = Buffer.from(ports.random.bytes(ATTEMPT_BYTES)).toString('hex')
    this.#columns = columns
  }

  /** A batch without columns has nothing to store: its rows are counted in the manifest alone. */
  async write(batch: ColumnBatch): Promise<void> {
    await this.#track(this.#write(batch))
  }

  async #write(batch: ColumnBatch): Promise<void> {
    if (this.#isDiscarded) throw new BackstopError('BUG', 'the snapshot was discarded before')
    if (batch.rowCount === 0 || this.#columns.length === 0) return
    this.#open ??= await this.#openPart()
    const part = this.#open
    await part.writer.writeGroup(batch)
    part.rowCount += batch.rowCount
    if (part.writer.sizeBytes >= PART_BYTES) await this.#closePart(part)
  }

  /** Close the last part; resolves when every part has been read back. Throws SNAPSHOT_CORRUPT. */
  async finish(): Promise<readonly ManifestPart[]> {
    if (this.#open !== undefined) await this.#track(this.#closePart(this.#open))
    return await Promise.all(this.#checks)
  }

  /** Remove everything that was written, as far as the store lets us. */
  async discard(): Promise<void> {
    this.#isDiscarded = true
    await this.#inHand
    await this.#open?.upload.abort().catch(() => undefined)
    await Promise.allSettled(this.#checks)
    await Promise.allSettled(this.#written.map((key) => this.#ports.objects.delete(key)))
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#inHand = work.catch(() => undefined)
    await work
  }

  async #openPart(): Promise<OpenPart> {
    const { relation, snapshotId, range } = this.#order
    const place = { range: range.index, number: this.#written.length, attempt: this.#attempt }
    const key = partKey(relation, snapshotId, place)
    const upload = await this.#ports.objects.openUpload(key, { ifAbsent: true })
    this.#written.push(key)
    return { key, upload, writer: await this.#ports.columnar.openWriter(upload, this.#columns), rowCount: 0 }
  }

  async #closePart(part: OpenPart): Promise<void> {
    await part.writer.finish()
    const written = await part.upload.commit()
    this.#open = undefined
    const check = verifyPart(this.#ports, { key: part.key, rowCount: part.rowCount, ...written })
    check.catch(() => undefined)
    this.#checks.push(check)
  }
}

/**
 * Read a part from the store and compare it with what the manifest says of it: size, SHA-256, row count.
 *
 * Throws: `SNAPSHOT_CORRUPT`, also when the part is gone
 */
export async function verifyPart(
  ports: Pick<RangePorts, 'objects' | 'columnar'>,
  part: ManifestPart,
  onBytes: (count: number) => void = () => undefined,
): Promise<ManifestPart> {
  const { sizeBytes, sha256 } = await hashObject(ports, part.key, onBytes)
  if (sizeBytes !== part.sizeBytes || sha256 !== part.sha256) throw partMismatch(part.key)
  const reader = await ports.columnar.openReader(ports.objects, part.key)
  if (reader.rowCount !== part.rowCount) throw partMismatch(part.key)
  return part
}

async function hashObject(ports: Pick<RangePorts, 'objects'>, key: string, onBytes: (count: number) => void) {
  if ((await ports.objects.find(key)) === undefined) {
    throw new BackstopError('SNAPSHOT_CORRUPT', 'a part of the snapshot is missing', { details: { key } })
  }
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const chunk of ports.objects.readStream(key)) {
    hash.update(chunk)
    sizeBytes += chunk.length
    onBytes(chunk.length)
  }
  return { sizeBytes, sha256: hash.digest('hex') as Sha256Hex }
}
