/** The routes that look and change nothing: health, audit, alerts, recovery points, figures. */
import { createMetrics } from '#lib/api/index.ts'
import type { Database, ObjectStore } from '#lib/ports/index.ts'
import {
  apiSettings,
  auditReader,
  type Foundation,
  healthProbes,
  openAlerts,
  openApprovals,
  openLedger,
  openPause,
  refreshFigures,
  snapshotReader,
} from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { absent, type BucketPolicy, type HttpParts, NO_BUCKET, servicesWith, VERSION } from '../../shared/index.ts'

export interface InspectPorts {
  readonly database: Database
  readonly snapshots: ObjectStore
  readonly policy: BucketPolicy
}

/** What `/metrics` shows here is read from the stores; what is counted is in CloudWatch. */
function readFigures(parts: Foundation & Omit<Parameters<typeof refreshFigures>[0], 'metrics'>) {
  const { environment } = parts.settings
  const figures = createMetrics({ version: VERSION, environment, hasProcessMetrics: false })
  figures.beforeScrape(refreshFigures({ ...parts, metrics: figures }))
  return { ...parts.metrics, contentType: figures.contentType, render: () => figures.render() }
}

export function inspectParts(foundation: Foundation, { database, snapshots, policy }: InspectPorts): HttpParts {
  const { settings, records, clock, random } = foundation
  const recovery = openRecovery({
    database,
    objects: snapshots,
    records,
    columnar: absent('columnar format'),
    clock,
    random,
  })
  const approvals = openApprovals(foundation)
  const pause = openPause(foundation)
  const services = servicesWith(foundation, {
    approvals,
    pause,
    audit: auditReader(openLedger(foundation, NO_BUCKET)),
    alerts: openAlerts(foundation),
    snapshots: snapshotReader(recovery),
    sets: recovery.sets,
    health: healthProbes(database, snapshots, recovery, records),
    metrics: readFigures({ ...foundation, approvals, pause, recovery }),
    policy: () => policy.keeper.active(),
  })
  return { services, settings: apiSettings(settings, VERSION), prepare: () => policy.refresh() }
}
