/** A storage in a folder and records in memory, for drills that need no database. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { localFiles } from '#lib/adapters/native/index.ts'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { ObjectStore, RecordStore } from '#lib/ports/index.ts'

export interface DrillWorld {
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly files: typeof localFiles
  readonly clock: typeof systemClock
  readonly random: { bytes(count: number): Buffer }
  readonly folder: string
  /** Keys in the storage. */
  keys(prefix?: string): Promise<readonly string[]>
  /** Folders of drills among the temporary files of this process, without those of a killed one that had its number. */
  scratchFolders(): readonly string[]
  close(): Promise<void>
}

const scratchFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith(`backstop-scratch-${process.pid}-`))

export async function openDrillWorld(): Promise<DrillWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'backstop-drill-test-'))
  const random = { bytes: (count: number) => randomBytes(count) }
  const objects = await openFolderObjectStore({ root: join(folder, 'objects'), clock: systemClock, random })
  const records = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
  const leftovers = new Set(scratchFolders())
  return {
    objects,
    records,
    files: localFiles,
    clock: systemClock,
    random,
    folder,
    keys: async (prefix = '') => (await objects.list(prefix)).objects.map(({ key }) => key),
    scratchFolders: () => scratchFolders().filter((name) => !leftovers.has(name)),
    close: async () => {
      await records.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
