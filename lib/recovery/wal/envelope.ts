/**
 * One archived file as one object: its facts, then its content compressed with zstd.
 *
 * Shapes:     a skippable frame of zstd (magic, length, canonical JSON), then one ordinary frame with its own checksum: the
 *             `zstd` program gives back the file
 * Invariants: open(seal(name, content)) = content; what is opened always has its SHA-256
 * Effects:    pure
 * Throws:     `WAL_CORRUPT`
 * Source:     RFC 8878, 3.1.2 "Skippable Frames"
 */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { z } from 'zod'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, canonicalJson, isSameDigest, sha256Hex } from '#lib/kernel/index.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

const SKIPPABLE_MAGIC = 0x184d_2a50
const FRAME_HEAD_BYTES = 8
const MAX_FACTS_BYTES = 4_096
/** Archiving must keep up with the server; level 3 halves what is left of ordinary WAL at 200 MB/s and more a core. */
const LEVEL = 3
const MAX_CONTENT_BYTES = 1 << 30

const factsSchema = z.object({
  format: z.literal('backstop-wal'),
  version: z.literal(1),
  name: z.string(),
  sizeBytes: z.number().int().nonnegative().max(MAX_CONTENT_BYTES),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export interface WalContent {
  readonly name: string
  readonly content: Uint8Array
  readonly sha256: Sha256Hex
}

export async function sealWal(name: string, content: Uint8Array): Promise<Uint8Array> {
  const sha256 = sha256Hex(content)
  const facts = Buffer.from(
    canonicalJson({ format: 'backstop-wal', version: 1, name, sizeBytes: content.length, sha256 }),
  )
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32LE(SKIPPABLE_MAGIC, 0)
  head.writeUInt32LE(facts.length, 4)
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 }
  return Buffer.concat([head, facts, await compress(content, { params })])
}

export async function openWal(name: string, sealed: Uint8Array): Promise<WalContent> {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const { facts, body } = readFacts(name, bytes)
  if (facts.name !== name) corrupt(name, `it holds ${facts.name}`)
  const content = await inflate(name, body, facts.sizeBytes)
  const sha256 = sha256Hex(content)
  const isSame = content.length === facts.sizeBytes && isSameDigest(sha256, facts.sha256 as Sha256Hex)
  if (!isSame) corrupt(name, 'checksum mismatch')
  return { name, content, sha256 }
}

function readFacts(name: string, bytes: Buffer) {
  const length = bytes.length < FRAME_HEAD_BYTES ? Number.NaN : bytes.readUInt32LE(4)
  const isFramed =
    bytes.length >= FRAME_HEAD_BYTES && bytes.readUInt32LE(0) === SKIPPABLE_MAGIC && length <= MAX_FACTS_BYTES
  if (!isFramed || bytes.length < FRAME_HEAD_BYTES + length) corrupt(name, 'it is not of the archive, or truncated')
  try {
    const text = bytes.toString('utf8', FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length)
    return { facts: factsSchema.parse(JSON.parse(text)), body: bytes.subarray(FRAME_HEAD_BYTES + length) }
  } catch {
    return corrupt(name, 'its facts cannot be read')
  }
}

async function inflate(name: string, body: Buffer, sizeBytes: number): Promise<Uint8Array> {
  try {
    return await decompress(body, { maxOutputLength: Math.max(1, sizeBytes) })
  } catch {
    return corrupt(name, 'its content cannot be decompressed')
  }
}

function corrupt(name: string, reason: string): never {
  throw new BackstopError('WAL_CORRUPT', `the archived ${name} may be corrupted: ${reason}`, { details: { name } })
}
