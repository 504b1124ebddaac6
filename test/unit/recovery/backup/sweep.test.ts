import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { sweepBackups, writeManifest } from '#lib/recovery/backup/index.ts'

const HOUR_MS = 3_600_000
const LATER = { nowMs: Date.now() + 30 * HOUR_MS, olderThanMs: 24 * HOUR_MS }
let root: string
let objects: ObjectStore

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'backstop-sweep-'))
  objects = await openFolderObjectStore({ root, clock: systemClock, random: systemRandom })
  for (const folder of ['logical/whole', 'logical/killed', 'physical/prod/whole', 'physical/prod/killed']) {
    await objects.put(`backups/${folder}/content`, Buffer.from('content'))
  }
  await objects.put('backups/physical/prod/killed/16400.tar.zst', Buffer.from('a tablespace'))
  await writeManifest(objects, 'backups/logical/whole/', { name: 'a' })
  await objects.put('backups/physical/prod/whole/manifest.json', Buffer.from('{ damaged'))
  await objects.put('snapshots/public/t/snap_1/part-00000.parquet', Buffer.from('no backup'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

async function keys(): Promise<readonly string[]> {
  return (await objects.list('')).objects.map(({ key }) => key).toSorted()
}

describe('what killed backups have left', () => {
  test('is removed, with a result for each object; what has a manifest stays, a damaged one too', async () => {
    const before = await keys()
    const { swept, young, backupCount } = await sweepBackups(objects, LATER)
    expect({ young, backupCount }).toEqual({ young: [], backupCount: 2 })
    expect(swept.map(({ key, outcome }) => [key, outcome]).toSorted()).toEqual([
      ['backups/logical/killed/content', 'removed'],
      ['backups/physical/prod/killed/16400.tar.zst', 'removed'],
      ['backups/physical/prod/killed/content', 'removed'],
    ])
    expect(await keys()).toEqual(before.filter((key) => !key.includes('/killed/')))
    expect((await sweepBackups(objects, LATER)).swept).toEqual([])
  })

  test('is only shown by a dry run', async () => {
    const before = await keys()
    const { swept } = await sweepBackups(objects, { ...LATER, isDryRun: true })
    expect(swept.map(({ outcome }) => outcome)).toEqual(['left', 'left', 'left'])
    expect(await keys()).toEqual(before)
  })

  test('is left while any of it is younger than the bound: a backup that runs has no manifest either', async () => {
    const before = await keys()
    const { swept, young } = await sweepBackups(objects, { ...LATER, nowMs: Date.now() + 23 * HOUR_MS })
    expect(swept).toEqual([])
    expect(young.toSorted()).toEqual(['backups/logical/killed/', 'backups/physical/prod/killed/'])
    expect(await keys()).toEqual(before)
  })

  test('is left when its manifest comes at the last moment', async () => {
    const late: ObjectStore = Object.create(objects, {
      find: { value: async (key: string) => ({ key, sizeBytes: 1, modifiedAtMs: 0 }) },
    })
    const before = await keys()
    expect((await sweepBackups(bound(late), LATER)).swept).toEqual([])
    expect(await keys()).toEqual(before)
  })

  test('is told where the storage refuses, and the rest goes on', async () => {
    const refusing: ObjectStore = Object.create(objects, {
      delete: {
        value: (key: string) =>
          key.endsWith('.zst')
            ? Promise.reject(new BackstopError('STORAGE_UNREACHABLE', 'held by a lock'))
            : objects.delete(key),
      },
    })
    const { swept } = await sweepBackups(bound(refusing), LATER)
    expect(swept.map(({ outcome }) => outcome).toSorted()).toEqual(['refused', 'removed', 'removed'])
    expect(swept.find(({ outcome }) => outcome === 'refused')?.reason).toBe('held by a lock')
  })

  test('is not looked for with a bound below an hour', async () => {
    for (const olderThanMs of [0, HOUR_MS - 1, Number.NaN]) {
      await expect(sweepBackups(objects, { ...LATER, olderThanMs })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    }
  })
})

/** The store's own fields are private: its methods keep their own `this`. */
function bound(store: ObjectStore): ObjectStore {
  const own = Object.getOwnPropertyNames(store)
  return new Proxy(objects, {
    get: (target, name) => {
      const from = own.includes(String(name)) ? store : target
      const value = Reflect.get(from, name) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
