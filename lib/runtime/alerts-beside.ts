/** Alerts of what a person or a timer runs beside the gateway: kept and sent as if the gateway had run it. */
import { openAlertDesk } from '#lib/gate/index.ts'
import type { Environment } from '#lib/product/index.ts'
import {
  type CheckedPoint,
  checkAlerts,
  drillAlerts,
  type RecoveryAlert,
  type StoredDrill,
} from '#lib/recovery/index.ts'
import { readConfig } from './config.ts'
import { openNotifying } from './notify.ts'
import { openMetadataFile } from './storage.ts'
import { SYSTEM } from './system.ts'
import { isTableLocation } from './table-location.ts'

export function tellDrill(drill: StoredDrill, metadataPath: string, environment: Environment): Promise<void> {
  return tell(drillAlerts(drill), metadataPath, environment)
}

export function tellCheck(checked: CheckedPoint, metadataPath: string, environment: Environment): Promise<void> {
  return tell(checkAlerts(checked), metadataPath, environment)
}

/**
 * Into the outbox of the metadata; the gateway on it delivers, now or when it is started. A deployment has no outbox in its
 * table: there what the command has written to the records is all.
 *
 * Throws: METADATA_UNREACHABLE, CONFIG_INVALID
 */
async function tell(alerts: readonly RecoveryAlert[], metadataPath: string, environment: Environment): Promise<void> {
  if (alerts.length === 0 || isTableLocation(metadataPath)) return
  const config = readConfig(environment, '.')
  const records = openMetadataFile(metadataPath)
  try {
    const { notifier } = openNotifying(
      config,
      records,
      () => {},
      async () => {},
    )
    const desk = openAlertDesk({ records, notifier, environment: config.environment, ...SYSTEM })
    for (const alert of alerts) await desk.raise(alert)
  } finally {
    await records.close()
  }
}
