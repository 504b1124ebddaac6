import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { compareWithServer, readServerManifest, readSystemIdentifier } from '#lib/recovery/pitr/server-facts.ts'

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)

function manifest(algorithm = 'SHA256'): Buffer {
  const files = [
    `{ "Path": "base/1", "Size": 10, "Last-Modified": "2026-11-21 03:00:00 GMT", "Checksum-Algorithm": "${algorithm}", "Checksum": "${A}" }`,
    `{ "Encoded-Path": "6f6464ff", "Size": 0, "Last-Modified": "2026-11-21 03:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "${B}" }`,
  ]
  const head = `{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [\n${files.join(',\n')}\n],\n"WAL-Ranges": [\n{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }\n],\n`
  const checksum = createHash('sha256').update(head).digest('hex')
  return Buffer.from(`${head}"Manifest-Checksum": "${checksum}"}\n`)
}

const ARRIVED = [
  { path: 'base/1', sizeBytes: 10, sha256: A },
  { path: 'odd\uFFFD', sizeBytes: 0, sha256: B },
  { path: 'backup_manifest', sizeBytes: 500, sha256: B },
  { path: 'pg_wal/000000010000000000000002', sizeBytes: 1, sha256: B },
]

describe("the server's own manifest", () => {
  test('is read and proven', () => {
    const server = readServerManifest(manifest())
    expect(server).toMatchObject({ timeline: 1, startLsn: '0/2000028', stopLsn: '0/2000100' })
    expect(() => compareWithServer(ARRIVED, server)).not.toThrow()
  })

  test('is refused with a changed byte, without checksum, and with weaker checksums of files', () => {
    const changed = Buffer.from(manifest().toString().replace('"Size": 10', '"Size": 11'))
    expect(() => readServerManifest(changed)).toThrow('manifest is damaged')
    expect(() => readServerManifest(Buffer.from('{}'))).toThrow('no checksum')
    expect(() => readServerManifest(manifest('CRC32C'))).toThrow('no SHA-256 for base/1')
  })

  test.each([
    ['a missing file', ARRIVED.slice(1), 'base/1 is missing'],
    ['another size', [{ ...ARRIVED[0], sizeBytes: 9 }, ...ARRIVED.slice(1)], 'checksum mismatch of base/1'],
    ['another content', [{ ...ARRIVED[0], sha256: B }, ...ARRIVED.slice(1)], 'checksum mismatch of base/1'],
    ['a stranger', [...ARRIVED, { path: 'x', sizeBytes: 0, sha256: B }], "x is not of the server's manifest"],
  ])('finds %s', (_, files, says) => {
    expect(() => compareWithServer(files as typeof ARRIVED, readServerManifest(manifest()))).toThrow(says)
  })
})

test('the system identifier is the first field of pg_control', () => {
  const control = Buffer.alloc(8_192)
  control.writeBigUInt64LE(18_000_000_000_000_000_001n)
  expect(readSystemIdentifier(control)).toBe('18000000000000000001')
  expect(() => readSystemIdentifier(undefined)).toThrow('global/pg_control is missing')
})
