/** Alarms on what the product promises: recovery points are fresh, drills pass, audit is sealed, nothing critical goes unseen. */
import { figuresOf } from './figures.ts'
import type { AlarmRow, Watched } from './model.ts'

const MINUTE_S = 60
const SNAPSHOT_AGE_S = 900

function physicalNameOf({ functions }: Watched, name: string): string {
  const found = functions.find((one) => one.name === name)
  if (found === undefined) throw new Error(`No stack has a function ${name}. Give it a row in FUNCTIONS.`)
  return found.physicalName
}

function recoveryAlarms(watched: Watched): readonly AlarmRow[] {
  const figures = figuresOf(watched.environment)
  return [
    {
      name: 'capture-not-healthy',
      text: 'No healthy round of the background capture for five minutes: statements that need a recovery point are refused. See GET /metadata/health, then the log of recovery.plan.',
      metric: { ...figures.healthyCaptures, statistic: 'Sum' },
      periodS: 5 * MINUTE_S,
      periods: 1,
      rings: { when: 'below', threshold: 1 },
      isSilenceBad: true,
    },
    {
      name: 'snapshot-too-old',
      text: 'A table was last captured more than 900 seconds ago. See GET /metadata/snapshots for which, then the log of recovery.capture.',
      metric: { ...figures.snapshotAgeSeconds, statistic: 'Maximum' },
      periodS: MINUTE_S,
      periods: 3,
      rings: { when: 'above', threshold: SNAPSHOT_AGE_S },
      isSilenceBad: false,
    },
    {
      name: 'drill-failed',
      text: 'A recovery drill did not bring its table back as it was. Treat the points of that table as unproven, and read the log of recovery.drill.',
      metric: { ...figures.failedDrills, statistic: 'Sum' },
      periodS: 5 * MINUTE_S,
      periods: 1,
      rings: { when: 'above', threshold: 0 },
      isSilenceBad: false,
    },
    {
      name: 'drill-missing',
      text: 'No recovery drill has run for a day. See the rule of recovery.drill and the dead-letter queue of the schedules.',
      metric: {
        namespace: 'AWS/Lambda',
        name: 'Invocations',
        dimensions: { FunctionName: physicalNameOf(watched, 'recovery.drill') },
        statistic: 'Sum',
      },
      periodS: 24 * 60 * MINUTE_S,
      periods: 1,
      rings: { when: 'below', threshold: 1 },
      isSilenceBad: true,
    },
  ]
}

function sealAlarms(watched: Watched): readonly AlarmRow[] {
  const dimensions = { FunctionName: physicalNameOf(watched, 'gate.seal') }
  const shared = { periodS: MINUTE_S, periods: 5 }
  return [
    {
      ...shared,
      name: 'audit-seal-overdue',
      text: 'Sealing the audit ledger has failed for five minutes. Nothing is lost yet: read the log of gate.seal, and "audit verify" once it works.',
      metric: { namespace: 'AWS/Lambda', name: 'Errors', dimensions, statistic: 'Sum' },
      rings: { when: 'above', threshold: 0 },
      isSilenceBad: false,
    },
    {
      ...shared,
      name: 'audit-seal-missing',
      text: 'The audit ledger has not been sealed for five minutes, because gate.seal does not run. See its rule and its throttles.',
      metric: { namespace: 'AWS/Lambda', name: 'Invocations', dimensions, statistic: 'Sum' },
      rings: { when: 'below', threshold: 1 },
      isSilenceBad: true,
    },
    {
      ...shared,
      periods: 1,
      name: 'audit-broken',
      text: 'The sealed ledger is not as it was written. Treat it as an incident: keep bucket and table as they are, and run "audit verify".',
      metric: { ...figuresOf(watched.environment).brokenLedgers, statistic: 'Sum' },
      rings: { when: 'above', threshold: 0 },
      isSilenceBad: false,
    },
  ]
}

function statementAlarms(watched: Watched): readonly AlarmRow[] {
  const figures = figuresOf(watched.environment)
  const shared = { periodS: MINUTE_S, periods: 1, isSilenceBad: false } as const
  return [
    {
      ...shared,
      name: 'critical-statement',
      text: 'An agent sent a CRITICAL statement. See GET /metadata/audit?risk=CRITICAL and GET /pending.',
      metric: { ...figures.criticalStatements, statistic: 'Sum' },
      rings: { when: 'above', threshold: 0 },
    },
    {
      ...shared,
      name: 'bypass',
      text: 'An agent role is connected to the database without the gateway. Take its password away; see the log of recovery.watch.',
      metric: { ...figures.bypassConnections, statistic: 'Sum' },
      rings: { when: 'above', threshold: 0 },
    },
  ]
}

export function productAlarms(watched: Watched): readonly AlarmRow[] {
  return [...recoveryAlarms(watched), ...sealAlarms(watched), ...statementAlarms(watched)]
}
