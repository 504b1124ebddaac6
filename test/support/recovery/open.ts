/** A recovery slice on a throw-away folder, for tests with a real database. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import type { Clock, Database, ObjectStore, RecordStore } from '#lib/ports/index.ts'
import type { HelperSizes, RangeHelpers, Recovery } from '#lib/recovery/index.ts'
import { openRecovery, sessionHelpers } from '#lib/recovery/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'

export interface TestRecovery {
  readonly recovery: Recovery
  readonly objects: ObjectStore
  readonly records: RecordStore
  readonly folder: string
  close(): Promise<void>
}

export async function openTestRecovery(
  database: Database,
  options: {
    clock?: Clock
    folder?: string
    wrapObjects?: (objects: ObjectStore) => ObjectStore
    wrapRecords?: (records: RecordStore) => RecordStore
    /** The objects of another slice, with records of its own. */
    objectsOf?: TestRecovery
    /** Sessions of this process that help with tables from `fromBytes` on. */
    helpers?: RangeHelpers
    maxRowBytes?: number
    parallel?: HelperSizes & { wrap?: (helpers: RangeHelpers) => RangeHelpers }
  } = {},
): Promise<TestRecovery> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'backstop-recovery-'))
  const clock = options.clock ?? createFixedClock()
  const random = { bytes: (count: number) => randomBytes(count) }
  const plain = await openFolderObjectStore({ root: join(folder, 'objects'), clock, random })
  const objects = options.objectsOf?.objects ?? options.wrapObjects?.(plain) ?? plain
  const kept = openSqliteRecordStore({ path: join(folder, 'records.db'), clock })
  const records = options.wrapRecords?.(kept) ?? kept
  const { parallel } = options
  const made = parallel && sessionHelpers({ database, objects, columnar: parquet, random }, parallel)
  const helpers = options.helpers ?? (made && (parallel?.wrap?.(made) ?? made))
  const recovery = openRecovery({
    database,
    objects,
    records,
    columnar: parquet,
    clock,
    random,
    ...(helpers === undefined ? {} : { helpers }),
    ...(options.maxRowBytes === undefined ? {} : { maxRowBytes: options.maxRowBytes }),
  })
  return {
    recovery,
    objects,
    records,
    folder,
    close: async () => {
      await kept.close()
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
