import { describe, expect, test } from 'vitest'
import { readTar } from '#lib/recovery/pitr/tar.ts'

interface Member {
  readonly path: string
  readonly type?: string
  readonly content?: Buffer
  readonly prefix?: string
}

function header({ path, type = '0', content = Buffer.alloc(0), prefix = '' }: Member): Buffer {
  const block = Buffer.alloc(512)
  block.write(path, 0)
  block.write('0000640\0', 100)
  block.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  block.fill(' ', 148, 156)
  block.write(type, 156)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function tar(members: readonly Member[]): Buffer {
  const blocks = members.flatMap((member) => {
    const content = member.content ?? Buffer.alloc(0)
    return [header(member), content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1_024)])
}

async function* inPieces(bytes: Buffer, length: number) {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length)
}

async function readAll(bytes: Buffer, length = 700) {
  const found: { path: string; kind: string; mode: number; text: string }[] = []
  for await (const { path, kind, mode, content } of readTar(inPieces(bytes, length))) {
    const pieces: Uint8Array[] = []
    for await (const piece of content) pieces.push(piece)
    found.push({ path, kind, mode, text: Buffer.concat(pieces).toString() })
  }
  return found
}

const GOOD = [
  { path: './', type: '5' },
  { path: 'base/', type: '5' },
  { path: 'base/1', content: Buffer.from('x'.repeat(1_300)) },
  { path: 'empty' },
  { path: 'b', prefix: 'pg_wal', content: Buffer.from('y'.repeat(512)) },
]

describe('a tar', () => {
  test.each([1, 511, 512, 10_000])('is read in pieces of %i bytes', async (length) => {
    expect(await readAll(tar(GOOD), length)).toEqual([
      { path: 'base', kind: 'folder', mode: 0o640, text: '' },
      { path: 'base/1', kind: 'file', mode: 0o640, text: 'x'.repeat(1_300) },
      { path: 'empty', kind: 'file', mode: 0o640, text: '' },
      { path: 'pg_wal/b', kind: 'file', mode: 0o640, text: 'y'.repeat(512) },
    ])
  })

  test('passes over content that nobody reads', async () => {
    const paths: string[] = []
    for await (const { path } of readTar(inPieces(tar(GOOD), 700))) paths.push(path)
    expect(paths).toEqual(['base', 'base/1', 'empty', 'pg_wal/b'])
  })

  test('is refused cut at any block before its end', async () => {
    const bytes = tar(GOOD)
    let refused = 0
    for (let length = 0; length < bytes.length - 1_024; length += 256) {
      await expect(readAll(bytes.subarray(0, length))).rejects.toMatchObject({ code: 'BACKUP_CORRUPT' })
      refused++
    }
    expect(refused).toBeGreaterThan(10)
  })

  test.each([
    ['a path that leads out', { path: '../x' }, 'BACKUP_CORRUPT'],
    ['a hidden way out', { path: 'base/../../x' }, 'BACKUP_CORRUPT'],
    ['an absolute path', { path: '/etc/passwd' }, 'BACKUP_CORRUPT'],
    ['a hard link', { path: 'x', type: '1' }, 'BACKUP_CORRUPT'],
    ['a tablespace', { path: 'pg_tblspc/16390', type: '2' }, 'BACKUP_TABLESPACES'],
  ])('is refused with %s', async (_, member, code) => {
    await expect(readAll(tar([member]))).rejects.toMatchObject({ code })
  })

  test('is refused with a damaged header', async () => {
    const bytes = tar(GOOD)
    bytes[3 * 512] = (bytes[3 * 512] ?? 0) ^ 1
    bytes[1_024] = (bytes[1_024] ?? 0) ^ 1
    await expect(readAll(bytes)).rejects.toThrow('header of an entry is damaged')
  })
})
