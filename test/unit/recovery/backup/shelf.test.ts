import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { NativeTools, ObjectStore } from '#lib/ports/index.ts'
import { assertFree, listManifests, writeManifest } from '#lib/recovery/backup/index.ts'
import { createLogicalBackup, listLogicalBackups } from '#lib/recovery/index.ts'

let root: string
let objects: ObjectStore
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'backstop-shelf-'))
  objects = await openFolderObjectStore({ root, clock: systemClock, random: systemRandom })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const schema = z.object({ name: z.string(), startedAt: z.string() })

describe('a shelf of backups', () => {
  test('lists newest first what has a sound manifest, and tells of the rest', async () => {
    await writeManifest(objects, 'shelf/a/', { name: 'a', startedAt: '2026-11-01' })
    await writeManifest(objects, 'shelf/b/', { name: 'b', startedAt: '2026-11-02' })
    await objects.put('shelf/killed/content', Buffer.from('x'))
    await objects.put('shelf/damaged/manifest.json', Buffer.from('{}'))
    const { backups, problems } = await listManifests(objects, 'shelf/', schema)
    expect(backups.map(({ name }) => name)).toEqual(['b', 'a'])
    expect(problems).toMatchObject([{ key: 'shelf/damaged/manifest.json' }])
  })

  test('has no room for an id of which anything is there', async () => {
    await expect(assertFree(objects, 'shelf/killed/')).rejects.toMatchObject({ code: 'BACKUP_EXISTS' })
    await expect(assertFree(objects, 'shelf/kill')).rejects.toThrow('already')
    await expect(assertFree(objects, 'shelf/new/')).resolves.toBeUndefined()
  })
})

test('a manifest whose write arrived although it failed does not stay without its content', async () => {
  const forgetful: ObjectStore = {
    put: async (key, content, options) => {
      await objects.put(key, content, options)
      throw new BackstopError('STORAGE_UNREACHABLE', 'the answer did not come')
    },
    openUpload: (key, options) => objects.openUpload(key, options),
    read: (key, range) => objects.read(key, range),
    readStream: (key, range) => objects.readStream(key, range),
    find: (key) => objects.find(key),
    list: (prefix, cursor) => objects.list(prefix, cursor),
    delete: (key) => objects.delete(key),
  }
  const listing = { entryCount: 1, tableCount: 1, serverVersion: '15', databaseName: 'shop' }
  const tools: Pick<NativeTools, 'versionOf' | 'dump' | 'listDump'> = {
    versionOf: async () => 'pg_dump 15',
    dump: async function* () {
      yield Buffer.from('PGDMP')
    },
    listDump: async (content) => {
      for await (const _ of content) void _
      return listing
    },
  }
  const ports = { objects: forgetful, tools: tools as NativeTools, clock: systemClock, random: systemRandom }
  const order = { databaseUrl: 'postgresql://localhost/shop', backupId: 'x' }
  await expect(createLogicalBackup(ports, order)).rejects.toMatchObject({ code: 'STORAGE_UNREACHABLE' })
  expect(await objects.list('backups/')).toEqual({ objects: [] })
  await createLogicalBackup({ ...ports, objects }, order)
  expect((await listLogicalBackups(objects)).backups).toMatchObject([{ backupId: 'x', ...listing }])
})
