/** Opens the connections of the gate to the database that is guarded. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { type ExecutionSettings, sessionSettings } from '#lib/gate/index.ts'
import type { GateDatabases } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'

/** Connections of the gate's own, so that captures never take them away; each is lent with the pinned settings. */
export function openGateDatabases(url: string, config: RuntimeConfig, settings: ExecutionSettings): GateDatabases {
  const { maxConnections } = config
  // The embedded server gets another port at every start; approvals must outlive it.
  const label = config.dbUrl === undefined ? { label: 'embedded/postgres' } : {}
  const shared = { url, maxConnections, ...label, sessionSettings: sessionSettings(settings) }
  return { reads: openPostgres({ ...shared, isPipelined: true }), writes: openPostgres(shared) }
}
