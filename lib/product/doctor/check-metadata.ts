/** The metadata and who writes it: is a gateway alive. */
import { epochMsOf, SECOND_MS } from '#lib/kernel/index.ts'
import type { Clock } from '#lib/ports/index.ts'
import type { Recovery } from '#lib/recovery/index.ts'
import { type CheckReport, Notebook } from './model.ts'

const START = 'Start the gateway: backstop up. Its captures write the heartbeat.'

export async function checkMetadata(
  recovery: Pick<Recovery, 'findHeartbeat'> | undefined,
  clock: Clock,
  maxAgeSeconds: number,
): Promise<CheckReport> {
  const notebook = new Notebook('metadata_health')
  if (recovery === undefined) {
    notebook.skip('heartbeat', 'give --metadata-db, or set BACKSTOP_METADATA_DB')
    return notebook.report()
  }
  const heartbeat = await recovery.findHeartbeat()
  if (heartbeat === undefined) {
    notebook.looked('there is no heartbeat')
    notebook.fail('no gateway ever captured with this metadata', START)
    return notebook.report()
  }
  const age = Math.round((clock.nowMs() - epochMsOf(heartbeat.at)) / SECOND_MS)
  notebook.looked(`the heartbeat is ${age} s old and says: ${heartbeat.detail}`)
  if (age > maxAgeSeconds) {
    notebook.fail(
      `the last heartbeat was ${age} s ago, more than max_sidecar_heartbeat_seconds, ${maxAgeSeconds}`,
      START,
    )
  } else if (!heartbeat.isHealthy) {
    notebook.degrade(
      `captures are not healthy: ${heartbeat.detail}`,
      'Read the log of the gateway: capture_round, alert.',
    )
  }
  return notebook.report()
}
