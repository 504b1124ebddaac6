/** The parts of the product over a store and a clock that can fail, with the tables and points that must outlive it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openFolderObjectStore, openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemRandom } from '#lib/adapters/system/index.ts'
import { createMetrics } from '#lib/api/index.ts'
import { openPolicyKeeper, sessionSettings } from '#lib/gate/index.ts'
import type { Alert } from '#lib/ports/index.ts'
import {
  executionSettings,
  openParts,
  type Parts,
  PRODUCT_VARIABLES,
  productSettings,
  readVariables,
} from '#lib/product/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { type FaultyStore, faultyStore } from './faulty-store.ts'
import { createJumpingClock, type JumpingClock } from './jumping-clock.ts'

const SEED = `
CREATE TABLE accounts (id int PRIMARY KEY, owner text NOT NULL, balance numeric NOT NULL);
INSERT INTO accounts SELECT n, 'owner ' || n, n * 1.5 FROM generate_series(1, 500) n;
CREATE TABLE quiet (id int PRIMARY KEY, note text);
INSERT INTO quiet SELECT n, md5(n::text) FROM generate_series(1, 50) n;
`
export const ACCOUNTS = { schema: 'public', name: 'accounts' } as const

export interface FaultWorld {
  readonly db: TestDatabase
  readonly parts: Parts
  readonly store: FaultyStore
  readonly clock: JumpingClock
  readonly folder: string
  /** Everything that was told, oldest first. */
  readonly told: readonly Alert[]
  close(): Promise<void>
}

export interface FaultWorldOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Where objects are kept; a folder of its own when absent. */
  readonly objectRoot?: string
}

export async function openFaultWorld(options: FaultWorldOptions = {}): Promise<FaultWorld> {
  const db = await createTestDatabase(SEED)
  const folder = mkdtempSync(join(tmpdir(), 'backstop-fault-'))
  const clock = createJumpingClock()
  const environment = options.environment ?? {}
  const settings = productSettings(readVariables(z.object(PRODUCT_VARIABLES), environment), environment)
  const database = openPostgres({ url: db.url })
  const execution = await executionSettings(settings, database)
  const pinned = { url: db.url, sessionSettings: sessionSettings(execution) }
  const gateDatabases = { reads: openPostgres({ ...pinned, isPipelined: true }), writes: openPostgres(pinned) }
  const root = options.objectRoot ?? join(folder, 'objects')
  const store = faultyStore(await openFolderObjectStore({ root, clock, random: systemRandom }))
  const records = openSqliteRecordStore({ path: join(folder, 'records.db'), clock })
  const told: Alert[] = []
  const parts = await openParts(
    {
      settings,
      records,
      notifier: { notify: async (alert) => void told.push(alert) },
      metrics: createMetrics({ version: '0.0.0', environment: 'test', hasProcessMetrics: false }),
      log: () => {},
      clock,
      random: systemRandom,
    },
    { database, gateDatabases, execution, objects: store, auditObjects: store, columnar: parquet },
    await openPolicyKeeper({ read: async () => undefined, levelActions: settings.levelActions, clock }),
  )
  return {
    db,
    parts,
    store,
    clock,
    folder,
    told,
    close: async () => {
      await parts.gate.settled()
      for (const one of [database, gateDatabases.reads, gateDatabases.writes]) await one.close()
      await records.close()
      await db.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
