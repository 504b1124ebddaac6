/** A month of work, and what one piece of each kind of work uses. */

/** Figures that no template holds; each is an assumption that a reader can replace by what they measure. */
export const ASSUMPTIONS = {
  hoursPerMonth: 730,
  minutesPerMonth: 43_800,
  /** Milliseconds billed for a request. */
  authorizeMs: 8,
  queryMs: 30,
  /** Milliseconds billed for a run that has nothing much to do. */
  scheduledMs: 250,
  dailyMs: 120_000,
  /** Counted by `npm run bench -- scale` for a SAFE read, its two ledger entries sealed; a bounded UPDATE has 19 and 4. */
  writeUnitsPerQuery: 18,
  readUnitsPerQuery: 1,
  writeUnitsPerRun: 4,
  readUnitsPerRun: 10,
  /** Counted likewise, on top of what its run writes. */
  writeUnitsPerCapture: 10,
  /** Function and access log with embedded metrics. */
  logBytesPerQuery: 2_500,
  logBytesPerRun: 1_000,
  /** Records of a statement until they expire. */
  tableBytesPerQuery: 3_000,
  answerBytesPerQuery: 2_000,
  /** Sealed audit, compressed; one PUT a minute at most. */
  auditBytesPerQuery: 600,
  tables: 25,
  capturesPerHour: 40,
  captureMs: 3_000,
  writesPerCapture: 3,
  /** X-Ray's default rule: one a second, and 5 of 100 beyond. */
  tracedPerSecond: 1,
  tracedShare: 0.05,
  /** Figures with their labels that are in use; CloudWatch bills each. */
  metricsIdle: 40,
  metricsBusy: 120,
  /** Each queue is asked by five pollers, each for 20 seconds. */
  pollsPerMinuteAndQueue: 15,
  /** Reads of a secret are cached for 15 seconds by each of so many instances. */
  authorizers: 3,
} as const

export interface Workload {
  readonly name: string
  readonly queries: number
  readonly snapshotGiB: number
  /** Of it, in Glacier Instant Retrieval. */
  readonly coldGiB: number
}

export const WORKLOADS: readonly Workload[] = [
  { name: 'idle', queries: 0, snapshotGiB: 1, coldGiB: 0 },
  { name: '1 M queries', queries: 1_000_000, snapshotGiB: 10, coldGiB: 0 },
  { name: '100 M queries', queries: 100_000_000, snapshotGiB: 100, coldGiB: 0 },
  { name: '1 M queries, 1 TiB of snapshots', queries: 1_000_000, snapshotGiB: 1_024, coldGiB: 0 },
  { name: '1 M queries, 1 TiB of snapshots, nine tenths cold', queries: 1_000_000, snapshotGiB: 102, coldGiB: 922 },
]
