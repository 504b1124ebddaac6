/** One tar of a server on its way: each file hashed, what is needed kept, the whole compressed into one object. */
import { createHash } from 'node:crypto'
import { BackstopError, type Instant, instantFrom, isBackstopError, type Sha256Hex } from '#lib/kernel/index.ts'
import type { StoredContent } from '../backup/index.ts'
import { readSegment, type SegmentFacts, walFileOf } from '../wal/index.ts'
import { compressInto } from './compressed.ts'
import type { BackedUpFile, PitrPorts } from './model.ts'
import { FACT_FILES } from './server-facts.ts'
import { readTar, type TarEntry } from './tar.ts'

type ReceivePorts = Pick<PitrPorts, 'objects' | 'clock'>

/** What passed by. */
export interface Arrived {
  readonly files: BackedUpFile[]
  readonly facts: Map<string, Uint8Array>
  segment?: SegmentFacts
  /** When the first WAL came: the server sends it after the end of the backup. */
  consistentAt?: Instant
}

export interface Received {
  readonly arrived: Arrived
  readonly content: StoredContent
}

/** A failure leaves no object. Throws BACKUP_EXISTS, BACKUP_CORRUPT, and what the source throws. */
export async function receive(
  ports: ReceivePorts,
  source: AsyncIterable<Uint8Array>,
  key: string,
  onBytes?: (doneBytes: number) => void,
): Promise<Received> {
  const upload = compressInto(await ports.objects.openUpload(key, { ifAbsent: true }))
  const arrived: Arrived = { files: [], facts: new Map() }
  try {
    for await (const entry of readTar(passOn(source, upload, onBytes))) {
      if (entry.kind === 'file') await note(entry, arrived, ports)
    }
    return { arrived, content: { key, ...(await upload.commit()) } }
  } catch (error) {
    await upload.abort()
    if (!isBackstopError(error, 'OBJECT_EXISTS')) throw error
    throw new BackstopError('BACKUP_EXISTS', `another run has written ${key} meanwhile`, { cause: error })
  }
}

async function* passOn(
  source: AsyncIterable<Uint8Array>,
  upload: { write(chunk: Uint8Array): Promise<void> },
  onBytes: ((doneBytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array, void> {
  let doneBytes = 0
  for await (const chunk of source) {
    await upload.write(chunk)
    doneBytes += chunk.length
    onBytes?.(doneBytes)
    yield chunk
  }
}

async function note(entry: TarEntry, arrived: Arrived, ports: ReceivePorts): Promise<void> {
  const hash = createHash('sha256')
  const wal = walFileOf(entry.path)
  const kept: Uint8Array[] = []
  const isKept = wal !== undefined || FACT_FILES.has(entry.path)
  if (wal !== undefined) arrived.consistentAt ??= instantFrom(ports.clock.nowMs())
  for await (const chunk of entry.content) {
    hash.update(chunk)
    if (isKept) kept.push(chunk)
  }
  const sha256 = hash.digest('hex') as Sha256Hex
  arrived.files.push({ path: entry.path, sizeBytes: entry.sizeBytes, sha256 })
  if (wal !== undefined) arrived.segment = readSegment(wal, Buffer.concat(kept))
  else if (isKept) arrived.facts.set(entry.path, Buffer.concat(kept))
}
