/** A recovery slice on a throw-away folder, for tests with a real database. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import type { Clock, Database, ObjectStore, RecordStore } from '#lib/ports/index.ts'
import type { Recovery } from '#lib/recovery/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
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
  options: { clock?: Clock; folder?: string; wrapObjects?: (objects: ObjectStore) => ObjectStore } = {},
): Promise<TestRecovery> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'backstop-recovery-'))
  const clock = options.clock ?? createFixedClock()
  const random = { bytes: (count: number) => randomBytes(count) }
  const plain = await openFolderObjectStore({ root: join(folder, 'objects'), clock, random })
  const objects = options.wrapObjects?.(plain) ?? plain
  const records = openSqliteRecordStore({ path: join(folder, 'records.db'), clock })
  const recovery = openRecovery({ database, objects, records, columnar: parquet, clock, random })
  return {
    recovery,
    objects,
    records,
    folder,
    close: async () => {
      await records.close()
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}
