import { describe, expect, test } from 'vitest'
import { baseBackupSchema } from '#lib/recovery/pitr/model.ts'
import { readTablespaceMap, writeTablespaceMap } from '#lib/recovery/pitr/tablespace-map.ts'
import { placeTablespaces, readTablespaceMapping } from '#lib/recovery/pitr/tablespace-places.ts'

const content = { key: 'k', sizeBytes: 1, sha256: 's' }
const at = (oid: string, location: string) => ({ oid, location, content, totalBytes: 0, files: [] })
const foldersOf = (...order: Parameters<typeof placeTablespaces>) => placeTablespaces(...order).map((one) => one.folder)

test('a manifest of before there were any is read as one without', () => {
  const at = '2026-11-21T03:00:00.000Z'
  const ids = { backupId: 'b', clusterId: 'c', systemIdentifier: '1', serverVersion: '15', toolVersion: 't' }
  const times = { startedAt: at, consistentAt: at, finishedAt: at }
  const wal = { timeline: 1, startLsn: '0/1', stopLsn: '0/2', segmentBytes: 16_777_216 }
  const old = {
    format: 'backstop-base-backup',
    version: 1,
    ...ids,
    ...times,
    ...wal,
    content,
    totalBytes: 0,
    files: [],
  }
  expect(baseBackupSchema.parse(old)).toEqual({ ...old, tablespaces: [] })
  expect(baseBackupSchema.safeParse({ ...old, version: 3 }).success).toBe(false)
})

describe('the map of tablespaces', () => {
  test('is read as it was written, whatever a path holds', () => {
    const links = ['/a b', '/a\\b', '/a\nb', '/a\r\nb', '/ends\\'].map((location, index) => ({
      oid: String(16_384 + index),
      location,
    }))
    expect(readTablespaceMap(Buffer.from(writeTablespaceMap(links)))).toEqual(links)
    expect(readTablespaceMap(undefined)).toEqual([])
  })

  test.each([
    ['x /a\n', 'BACKUP_CORRUPT'],
    ['16384\n', 'BACKUP_CORRUPT'],
    ['16384 pg_tblspc/16384\n', 'BACKUP_TABLESPACES'],
  ])('%j is refused', (text, code) => {
    expect(() => readTablespaceMap(Buffer.from(text))).toThrow(expect.objectContaining({ code }))
  })
})

describe('a mapping', () => {
  test.each([
    ['/a=/b', { from: '/a', to: '/b' }],
    ['/a\\=b=/c\\=d', { from: '/a=b', to: '/c=d' }],
    ['/a\\b=/c', { from: '/a\\b', to: '/c' }],
  ])('%s is read', (written, mapping) => {
    expect(readTablespaceMapping(written)).toEqual(mapping)
  })

  test.each(['', '/a', '/a=', '=/b', '/a=/b=/c', '/a=b'])('%j is refused', (written) => {
    expect(() => readTablespaceMapping(written)).toThrow(
      expect.objectContaining({ code: 'TABLESPACE_MAPPING_INVALID' }),
    )
  })
})

describe('a place', () => {
  test('is beside the data folder, or where the mapping says', () => {
    const both = [at('1', '/old/a'), at('2', '/old/b')]
    expect(foldersOf(both, '/data', [{ from: '/old/b/', to: '/new' }])).toEqual(['/data.tablespaces/1', '/new'])
    expect(foldersOf(both, '/data', [{ from: '/old/a', to: '/old/a' }])).toEqual(['/old/a', '/data.tablespaces/2'])
  })

  test.each([
    ['the location of the original without a mapping', [at('1', '/data.tablespaces/1')], []],
    ['the location of another original', [at('1', '/old/a'), at('2', '/data.tablespaces/1')], []],
    ['the data folder', [at('1', '/old/a')], [{ from: '/old/a', to: '/data' }]],
    ['above the data folder', [at('1', '/old/a')], [{ from: '/old/a', to: '/' }]],
    ['of an unknown tablespace', [at('1', '/old/a')], [{ from: '/old', to: '/x' }]],
    ['of a backup without tablespaces', [], [{ from: '/old', to: '/x' }]],
  ])('is never %s', (_, tablespaces, mappings) => {
    expect(() => foldersOf(tablespaces, '/data', mappings)).toThrow(
      expect.objectContaining({ code: 'TABLESPACE_MAPPING_INVALID' }),
    )
  })
})
