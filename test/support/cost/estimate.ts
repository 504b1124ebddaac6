/** Counts and a workload → how much of everything a month uses, and what it costs. Pure. */
import type { Counts } from './count.ts'
import { ASSUMPTIONS as A, type Workload } from './model.ts'
import { PRICES, type PriceName } from './prices.ts'

const GIB = 1_073_741_824
const MIB_PER_GIB = 1_024
const MS_PER_S = 1_000
const SECONDS_PER_MONTH = A.hoursPerMonth * 3_600
const DAYS_PER_MONTH = A.hoursPerMonth / 24

export type Usage = Readonly<Record<PriceName, number>>

export interface Line {
  readonly name: PriceName
  readonly quantity: number
  readonly usd: number
}

const giBSeconds = (runs: number, memoryMib: number, ms: number) => (runs * memoryMib * ms) / MIB_PER_GIB / MS_PER_S

function tracesOf(queries: number): number {
  const perSecond = queries / SECONDS_PER_MONTH
  const traced = Math.min(perSecond, A.tracedPerSecond) + Math.max(0, perSecond - A.tracedPerSecond) * A.tracedShare
  return Math.round(traced * SECONDS_PER_MONTH)
}

function computeOf(
  counts: Counts,
  queries: number,
  captures: number,
): Pick<Usage, 'lambdaRequest' | 'lambdaGiBSecond'> {
  const memory = (name: string) => counts.memoryMib[name] ?? 0
  const minute = counts.everyMinute.map(({ memoryMib }) => giBSeconds(A.minutesPerMonth, memoryMib, A.scheduledMs))
  const daily = counts.daily.map(({ memoryMib }) => giBSeconds(DAYS_PER_MONTH, memoryMib, A.dailyMs))
  const scheduled = [...minute, ...daily].reduce((sum, one) => sum + one, 0)
  const runs = counts.everyMinute.length * A.minutesPerMonth + counts.daily.length * DAYS_PER_MONTH
  return {
    lambdaRequest: 2 * queries + runs + captures,
    lambdaGiBSecond:
      giBSeconds(queries, memory('gate.authorize'), A.authorizeMs) +
      giBSeconds(queries, memory('gate.query'), A.queryMs) +
      giBSeconds(captures, memory('recovery.capture'), A.captureMs) +
      scheduled,
  }
}

function tableOf(
  queries: number,
  runs: number,
  captures: number,
): Pick<Usage, 'tableWrite' | 'tableRead' | 'tableGiBMonth' | 'tableRecoveryGiBMonth'> {
  const storedGiB = (queries * A.tableBytesPerQuery) / GIB
  return {
    tableWrite: queries * A.writeUnitsPerQuery + runs * A.writeUnitsPerRun + captures * A.writeUnitsPerCapture,
    tableRead: queries * A.readUnitsPerQuery + runs * A.readUnitsPerRun,
    tableGiBMonth: storedGiB,
    tableRecoveryGiBMonth: storedGiB,
  }
}

export function usageOf(counts: Counts, workload: Workload): Usage {
  const { queries, snapshotGiB, coldGiB } = workload
  const captures = A.capturesPerHour * A.hoursPerMonth
  const runs = counts.everyMinute.length * A.minutesPerMonth + captures
  const logGiB = (queries * A.logBytesPerQuery + runs * A.logBytesPerRun) / GIB
  const objectWrite = captures * A.writesPerCapture + Math.min(queries, A.minutesPerMonth)
  return {
    key: counts.keys,
    secret: counts.secrets,
    alarm: counts.alarms,
    dashboard: counts.dashboards,
    endpointHour: counts.endpointZones * A.hoursPerMonth,
    customMetric: queries === 0 ? A.metricsIdle : A.metricsBusy,
    // S3 and SQS keep a data key for minutes, DynamoDB likewise: the number follows the time and the objects.
    keyRequest: objectWrite + 6 * A.minutesPerMonth,
    secretRequest: Math.min(queries, A.minutesPerMonth * 4) * A.authorizers,
    logGiB,
    logGiBMonth: logGiB,
    trace: tracesOf(queries) + runs * A.tracedShare,
    httpRequest: queries,
    ...computeOf(counts, queries, captures),
    ...tableOf(queries, runs, captures),
    queueRequest: counts.queues * A.pollsPerMinuteAndQueue * A.minutesPerMonth + 3 * captures,
    objectWrite,
    objectRead: captures,
    objectGiBMonth: snapshotGiB + (queries * A.auditBytesPerQuery) / GIB,
    coldGiBMonth: coldGiB,
    egressGiB: (queries * A.answerBytesPerQuery) / GIB,
  }
}

export function linesOf(usage: Usage): readonly Line[] {
  return (Object.keys(PRICES) as PriceName[]).map((name) => {
    const quantity = usage[name]
    const { usd, per } = PRICES[name]
    return { name, quantity, usd: (quantity / per) * usd }
  })
}
