/**
 * Reads a tar as PostgreSQL writes it, entry by entry, as the bytes come.
 *
 * Shapes:     bytes → entries; an entry's content is consumed before the next one, what was left of it is passed over
 * Invariants: paths are relative, of plain segments; the archive's end was seen
 * Effects:    pure, apart from reading its source
 * Throws:     `BACKUP_CORRUPT`; `BACKUP_TABLESPACES` for a link
 * Source:     POSIX.1-1988 (ustar); PostgreSQL, src/port/tar.c
 */
import { BackstopError } from '#lib/kernel/index.ts'

export interface TarEntry {
  readonly kind: 'file' | 'folder'
  readonly path: string
  readonly mode: number
  readonly sizeBytes: number
  readonly content: AsyncIterable<Uint8Array>
}

const BLOCK_BYTES = 512

function corrupt(reason: string): never {
  throw new BackstopError('BACKUP_CORRUPT', `the base backup cannot be read: ${reason}`)
}

/** Bytes of a stream in pieces of any length. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** At most so many, at least one; undefined at the end. */
  async take(limit: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next()
      if (done === true) return undefined
      this.#rest = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    }
    const piece = this.#rest.subarray(0, limit)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  /** Exactly so many; undefined when the stream ended before. */
  async takeAll(length: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = []
    for (let missing = length; missing > 0; ) {
      const piece = await this.take(missing)
      if (piece === undefined) return undefined
      pieces.push(piece)
      missing -= piece.length
    }
    return Buffer.concat(pieces)
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }
}

export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const reader = new ByteReader(source)
  try {
    for (;;) {
      const block = (await reader.takeAll(BLOCK_BYTES)) ?? corrupt('it ends in the middle')
      if (block.every((byte) => byte === 0)) break
      const { path, ...header } = readHeader(block)
      let leftBytes = header.sizeBytes
      const content = (async function* () {
        while (leftBytes > 0) {
          const piece = (await reader.take(leftBytes)) ?? corrupt(`it ends in the middle of ${path}`)
          leftBytes -= piece.length
          yield piece
        }
      })()
      if (path !== '') yield { ...header, path, content }
      for await (const _ of content) void _
      const padding = (BLOCK_BYTES - (header.sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES
      if ((await reader.takeAll(padding)) === undefined) corrupt('it ends in the middle')
    }
    // The rest of the source too: whoever hashes it sees everything.
    while ((await reader.take(1 << 20)) !== undefined);
  } finally {
    await reader.close()
  }
}

function readHeader(block: Buffer) {
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0)
  if (sum !== readNumber(block, 148, 8)) corrupt('the header of an entry is damaged')
  const prefix = readText(block, 345, 155)
  const path = readPath(prefix === '' ? readText(block, 0, 100) : `${prefix}/${readText(block, 0, 100)}`)
  const type = String.fromCharCode(block[156] ?? 0)
  const sizeBytes = readNumber(block, 124, 12)
  const mode = readNumber(block, 100, 8) & 0o777
  if (type === '5') return { kind: 'folder' as const, path, mode, sizeBytes: 0 }
  if (type === '0' || type === '\0') return { kind: 'file' as const, path, mode, sizeBytes }
  if (type === '2') throw new BackstopError('BACKUP_TABLESPACES', `the base backup holds a link, ${path}: a tablespace`)
  return corrupt(`the entry ${path} is neither a file nor a folder`)
}

/** `./base/1/` → `base/1`; the root itself → empty. */
function readPath(written: string): string {
  const segments = written.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (written.startsWith('/') || segments.includes('..')) corrupt('a path leads out of its folder')
  return segments.join('/')
}

function readText(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end)
}

/** Octal digits, or big-endian binary after a byte 0x80 for what digits cannot hold. */
function readNumber(block: Buffer, start: number, length: number): number {
  if (block[start] === 0x80) return Number(block.readBigUInt64BE(start + length - 8))
  const digits = readText(block, start, length).trim()
  if (!/^[0-7]+$/.test(digits)) corrupt('a number in the header of an entry is malformed')
  return Number.parseInt(digits, 8)
}
