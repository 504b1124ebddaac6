/** The whole gate over any record store and a real PostgreSQL, in this process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import { createMetrics } from '#lib/api/index.ts'
import { openPolicyKeeper, sessionSettings } from '#lib/gate/index.ts'
import type { Alert, RecordStore } from '#lib/ports/index.ts'
import type { Parts } from '#lib/product/index.ts'
import { executionSettings, openParts, PRODUCT_VARIABLES, productSettings, readVariables } from '#lib/product/index.ts'

const SYSTEM = { clock: systemClock, random: systemRandom } as const

export interface TestGate {
  readonly parts: Parts
  /** What operators were told. */
  readonly alerts: readonly Alert[]
  close(): Promise<void>
}

export interface TestGateOptions {
  readonly records: RecordStore
  readonly databaseUrl: string
  /** As `BACKSTOP_…`. */
  readonly environment?: Readonly<Record<string, string>>
}

export async function openTestGate({ records, databaseUrl, environment = {} }: TestGateOptions): Promise<TestGate> {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-gate-'))
  const settings = productSettings(readVariables(z.object(PRODUCT_VARIABLES), environment), environment)
  const { maxConnections } = settings
  const database = openPostgres({ url: databaseUrl, maxConnections })
  const execution = await executionSettings(settings, database)
  const shared = { url: databaseUrl, maxConnections, sessionSettings: sessionSettings(execution) }
  const gateDatabases = { reads: openPostgres({ ...shared, isPipelined: true }), writes: openPostgres(shared) }
  const objects = await openFolderObjectStore({ root: folder, ...SYSTEM })
  const alerts: Alert[] = []
  const notifier = { notify: async (alert: Alert) => void alerts.push(alert) }
  const metrics = createMetrics({ version: '0.0.0', environment: 'test', hasProcessMetrics: false })
  const policy = await openPolicyKeeper({
    read: async () => undefined,
    levelActions: settings.levelActions,
    clock: systemClock,
  })
  const parts = await openParts(
    { settings, records, notifier, metrics, log: () => {}, ...SYSTEM },
    { database, gateDatabases, execution, objects, auditObjects: objects, columnar: parquet },
    policy,
  )
  return {
    parts,
    alerts,
    close: async () => {
      await parts.gate.settled()
      for (const one of [database, gateDatabases.reads, gateDatabases.writes]) await one.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
