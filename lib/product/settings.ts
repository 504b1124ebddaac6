/** The settings that mean the same wherever the product runs. */
import { z } from 'zod'
import { type LevelActions, parseLevelActions } from '#lib/gate/index.ts'
import { RETENTION_VARIABLES, type RetentionSettings, retentionSettings } from './retention-settings.ts'
import { type Environment, flag, list, optional, wholeNumber } from './variables.ts'

export interface ProductSettings extends RetentionSettings {
  readonly environment: string
  readonly clusterId: string
  readonly isDevMode: boolean
  readonly levelActions: LevelActions
  readonly agentRole?: string
  /** Absent: the search path that the agent's role has by itself. */
  readonly searchPath?: string
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly assessTimeoutMs: number
  /** For locks and snapshots within a write's transaction; absent: 15 minutes. */
  readonly captureTimeoutMs?: number
  readonly maxRows: number
  readonly maxBytes: number
  readonly maxConnections: number
  readonly approvalTimeoutSeconds: number
  readonly snapshotIntervalSeconds: number
  /** Sessions that capture one large table in this process; 0: one for each core, at most four. */
  readonly captureWorkers: number
  /** Tables with more megabytes than this are captured by workers beyond the queue too; 0: none. */
  readonly fanoutMegabytes: number
  /** Ranges of one table that are out at a time. */
  readonly fanoutWorkers: number
  /** Empty: every table. */
  readonly snapshotTables: readonly string[]
  /** A table with a larger row is not captured. */
  readonly snapshotMaxRowMegabytes: number
  /** A table whose capture fails so often in a row is told, unless trying again cannot help: then the first time. */
  readonly snapshotMaxFailures: number
  /** Megabytes of tables that one round compares with their points at most; 0: every table that may have changed is copied. */
  readonly compareBudgetMegabytes: number
  /** What a run of re-reading stored points reads at most. */
  readonly verifyBudgetMegabytes: number
  /** 0: no drills. */
  readonly drillIntervalHours: number
  /** Between drills that need PostgreSQL's own programs; 0: none. */
  readonly drillNativeIntervalHours: number
  /** Points, base backups and databases with more megabytes than this are not drilled. */
  readonly drillMaxMegabytes: number
  /** Which writes keep the rows that they change, to be reversed with `backstop undo`. */
  readonly undo: 'off' | 'approved' | 'all'
  /** A write that changes more rows cannot be undone. */
  readonly undoMaxRows: number
  readonly undoRetentionDays: number
  /** Requests that one principal may make a second; twice as many in a burst. */
  readonly ratePerSecond: number
  /** True: `/metrics` and `/metadata/health` answer without a token. */
  readonly hasPublicMetrics: boolean
}

/** One row per variable: its form and its default. */
export const PRODUCT_VARIABLES = {
  BACKSTOP_ENVIRONMENT: z.string().default('local'),
  BACKSTOP_CLUSTER_ID: z.string().default('local'),
  BACKSTOP_DEV_MODE: flag,
  BACKSTOP_AGENT_ROLE: z.string().optional(),
  BACKSTOP_SEARCH_PATH: z.string().optional(),
  BACKSTOP_STATEMENT_TIMEOUT_MS: wholeNumber(1, 3_600_000, 30_000),
  BACKSTOP_LOCK_TIMEOUT_MS: wholeNumber(1, 600_000, 5_000),
  BACKSTOP_ASSESS_TIMEOUT_MS: wholeNumber(1, 60_000, 2_000),
  BACKSTOP_MAX_ROWS: wholeNumber(1, 1_000_000, 1_000),
  BACKSTOP_MAX_BYTES: wholeNumber(1, 100_000_000, 1_048_576),
  BACKSTOP_MAX_CONNECTIONS: wholeNumber(1, 1_000, 10),
  BACKSTOP_APPROVAL_TIMEOUT_SECONDS: wholeNumber(1, 2_592_000, 3_600),
  BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: wholeNumber(1, 86_400, 60),
  BACKSTOP_CAPTURE_WORKERS: wholeNumber(0, 32, 0),
  BACKSTOP_FANOUT_MEGABYTES: wholeNumber(0, 10_000_000, 1_024),
  BACKSTOP_FANOUT_WORKERS: wholeNumber(1, 100, 8),
  BACKSTOP_SNAPSHOT_TABLES: list,
  BACKSTOP_SNAPSHOT_MAX_ROW_MEGABYTES: wholeNumber(1, 1_024, 128),
  BACKSTOP_SNAPSHOT_MAX_FAILURES: wholeNumber(1, 1_000, 3),
  ...RETENTION_VARIABLES,
  BACKSTOP_COMPARE_BUDGET_MEGABYTES: wholeNumber(0, 10_000_000, 1_024),
  BACKSTOP_VERIFY_BUDGET_MEGABYTES: wholeNumber(1, 10_000_000, 1_024),
  BACKSTOP_DRILL_INTERVAL_HOURS: wholeNumber(0, 8_784, 24),
  BACKSTOP_DRILL_NATIVE_INTERVAL_HOURS: wholeNumber(0, 8_784, 168),
  BACKSTOP_DRILL_MAX_MEGABYTES: wholeNumber(1, 10_000_000, 1_024),
  BACKSTOP_UNDO: z.enum(['off', 'approved', 'all']).default('all'),
  BACKSTOP_UNDO_MAX_ROWS: wholeNumber(1, 1_000_000, 10_000),
  BACKSTOP_UNDO_RETENTION_DAYS: wholeNumber(1, 3_650, 7),
  BACKSTOP_RATE_PER_SECOND: wholeNumber(1, 1_000_000, 1_000),
  BACKSTOP_PUBLIC_METRICS: flag,
} as const

type ReadVariables = z.output<z.ZodObject<typeof PRODUCT_VARIABLES>>

/** Throws CONFIG_INVALID for a BACKSTOP_POLICY_<LEVEL> that is no action. */
export function productSettings(read: ReadVariables, environment: Environment): ProductSettings {
  return {
    environment: read.BACKSTOP_ENVIRONMENT,
    clusterId: read.BACKSTOP_CLUSTER_ID,
    isDevMode: read.BACKSTOP_DEV_MODE,
    levelActions: parseLevelActions(environment),
    ...optional('agentRole', read.BACKSTOP_AGENT_ROLE),
    ...optional('searchPath', read.BACKSTOP_SEARCH_PATH),
    statementTimeoutMs: read.BACKSTOP_STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: read.BACKSTOP_LOCK_TIMEOUT_MS,
    assessTimeoutMs: read.BACKSTOP_ASSESS_TIMEOUT_MS,
    maxRows: read.BACKSTOP_MAX_ROWS,
    maxBytes: read.BACKSTOP_MAX_BYTES,
    maxConnections: read.BACKSTOP_MAX_CONNECTIONS,
    approvalTimeoutSeconds: read.BACKSTOP_APPROVAL_TIMEOUT_SECONDS,
    snapshotIntervalSeconds: read.BACKSTOP_SNAPSHOT_INTERVAL_SECONDS,
    captureWorkers: read.BACKSTOP_CAPTURE_WORKERS,
    fanoutMegabytes: read.BACKSTOP_FANOUT_MEGABYTES,
    fanoutWorkers: read.BACKSTOP_FANOUT_WORKERS,
    snapshotTables: read.BACKSTOP_SNAPSHOT_TABLES,
    snapshotMaxRowMegabytes: read.BACKSTOP_SNAPSHOT_MAX_ROW_MEGABYTES,
    snapshotMaxFailures: read.BACKSTOP_SNAPSHOT_MAX_FAILURES,
    ...retentionSettings(read),
    compareBudgetMegabytes: read.BACKSTOP_COMPARE_BUDGET_MEGABYTES,
    verifyBudgetMegabytes: read.BACKSTOP_VERIFY_BUDGET_MEGABYTES,
    drillIntervalHours: read.BACKSTOP_DRILL_INTERVAL_HOURS,
    drillNativeIntervalHours: read.BACKSTOP_DRILL_NATIVE_INTERVAL_HOURS,
    drillMaxMegabytes: read.BACKSTOP_DRILL_MAX_MEGABYTES,
    undo: read.BACKSTOP_UNDO,
    undoMaxRows: read.BACKSTOP_UNDO_MAX_ROWS,
    undoRetentionDays: read.BACKSTOP_UNDO_RETENTION_DAYS,
    ratePerSecond: read.BACKSTOP_RATE_PER_SECOND,
    hasPublicMetrics: read.BACKSTOP_PUBLIC_METRICS,
  }
}
