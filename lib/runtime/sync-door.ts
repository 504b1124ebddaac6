/** Opens the port of the background's health beside the gateway's. */
import { openHttpServer, type RunningHttpServer } from '#lib/adapters/embedded/index.ts'
import { createSyncApi, LOOPBACK_HOSTS } from '#lib/api/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import type { HttpHandler } from '#lib/ports/index.ts'
import type { Log, Parts } from '#lib/product/index.ts'
import type { RuntimeConfig } from './config.ts'
import { SYSTEM } from './system.ts'

const LOOPBACK: readonly string[] = ['127.0.0.1', 'localhost', '::1']

/**
 * Undefined where it is switched off, and where the port that nobody asked for is taken: by another gateway on this machine,
 * most of the time, and the product is of use without it.
 *
 * Throws: PORT_TAKEN, CONFIG_INVALID for a port that was asked for
 */
export async function openSyncDoor(
  config: RuntimeConfig,
  { recovery, policy }: Pick<Parts, 'recovery' | 'policy'>,
  gateway: HttpHandler,
  log: Log,
): Promise<RunningHttpServer | undefined> {
  const { syncPort, syncHost } = config
  if (syncPort === undefined) return undefined
  const handler = createSyncApi({
    findHeartbeat: () => recovery.findHeartbeat(),
    maxHeartbeatSeconds: () => policy.active().policy.max_sidecar_heartbeat_seconds,
    gateway,
    ...SYSTEM,
    ...(LOOPBACK.includes(syncHost) ? { allowedHosts: LOOPBACK_HOSTS } : {}),
  })
  try {
    return await openHttpServer(handler, { host: syncHost, port: syncPort })
  } catch (error) {
    if (config.isSyncPortGiven || !isBackstopError(error, 'PORT_TAKEN')) throw error
    log('warning', 'sync_port_taken', {
      port: syncPort,
      message: 'GET /health of the background capture is not served: set BACKSTOP_SYNC_PORT to a free port, or to off.',
    })
    return undefined
  }
}
