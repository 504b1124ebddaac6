/** Reads stored recovery points and the sealed ledger again, and tells what is not as it was written. */
import { parquet } from '#lib/adapters/parquet/index.ts'
import { DEFAULT_RETENTION_DAYS, type VerifyReport, verifyLedger } from '#lib/gate/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { type Foundation, openAlerts, verifyPoints } from '#lib/product/index.ts'
import { openRecovery, type RecoveryAlert } from '#lib/recovery/index.ts'
import { absent, type ScheduledParts } from '../../shared/index.ts'

export interface VerifyPorts {
  readonly snapshots: ObjectStore
  readonly audit: ObjectStore
}

function ledgerAlert(problems: VerifyReport['problems']): readonly RecoveryAlert[] {
  const [problem] = problems
  if (problem === undefined) return []
  return [
    {
      severity: 'critical',
      eventType: 'audit_broken',
      title: 'The audit ledger is not as it was sealed',
      recommendedAction:
        'Treat this as an incident: keep the bucket and the table as they are, and run "backstop audit verify".',
      facts: { problems: problems.length, first: problem.code },
      dedupeKey: 'audit:broken',
    },
  ]
}

export function verifyParts(foundation: Foundation, { snapshots, audit }: VerifyPorts): ScheduledParts {
  const { records, clock, settings } = foundation
  const { environment } = settings
  const alerts = openAlerts(foundation)
  const recovery = openRecovery({
    ...foundation,
    objects: snapshots,
    database: absent('database'),
    columnar: parquet,
  })
  const ledger = { records, clock, environment, objects: audit, retentionDays: DEFAULT_RETENTION_DAYS }
  return {
    records,
    clock,
    async run(signal) {
      const { checked, problems } = await verifyLedger(ledger)
      for (const alert of ledgerAlert(problems)) await alerts.raise(alert)
      const points = await verifyPoints({ ...foundation, recovery, alerts }, signal)
      const { corrupt, skipped } = points
      const ofLedger = { segments: checked.segments, ledgerProblems: problems.length }
      return { ...ofLedger, points: points.checked, corrupt: corrupt.length, skipped: skipped.length }
    },
  }
}
