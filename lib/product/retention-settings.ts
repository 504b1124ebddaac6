/** The settings of retention: what is kept of each table, and how often the rest is removed. */
import type { z } from 'zod'
import type { RetentionPolicy } from '#lib/recovery/index.ts'
import { wholeNumber } from './variables.ts'

export interface RetentionSettings {
  readonly retention: RetentionPolicy
  /** 0: only by hand. */
  readonly retentionIntervalHours: number
}

const MOST_HOURS = 8_784
const MOST_DAYS = 36_500
const MOST_BUCKETS = 5_000

export const RETENTION_VARIABLES = {
  BACKSTOP_RETENTION_KEEP_LAST: wholeNumber(0, 1_000_000, 3),
  BACKSTOP_RETENTION_KEEP_DAYS: wholeNumber(0, MOST_DAYS, 1),
  BACKSTOP_RETENTION_KEEP_HOURLY: wholeNumber(0, MOST_HOURS, 48),
  BACKSTOP_RETENTION_KEEP_DAILY: wholeNumber(0, MOST_BUCKETS, 14),
  BACKSTOP_RETENTION_KEEP_WEEKLY: wholeNumber(0, MOST_BUCKETS, 8),
  BACKSTOP_RETENTION_KEEP_MONTHLY: wholeNumber(0, MOST_BUCKETS, 12),
  BACKSTOP_RETENTION_FINAL_DAYS: wholeNumber(0, MOST_DAYS, 30),
  BACKSTOP_RETENTION_QUARANTINE_DAYS: wholeNumber(0, MOST_DAYS, 30),
  BACKSTOP_RETENTION_INTERVAL_HOURS: wholeNumber(0, 24, 24),
} as const

type ReadVariables = z.output<z.ZodObject<typeof RETENTION_VARIABLES>>

export function retentionSettings(read: ReadVariables): RetentionSettings {
  return {
    retention: {
      keepLast: read.BACKSTOP_RETENTION_KEEP_LAST,
      keepDays: read.BACKSTOP_RETENTION_KEEP_DAYS,
      keepHourly: read.BACKSTOP_RETENTION_KEEP_HOURLY,
      keepDaily: read.BACKSTOP_RETENTION_KEEP_DAILY,
      keepWeekly: read.BACKSTOP_RETENTION_KEEP_WEEKLY,
      keepMonthly: read.BACKSTOP_RETENTION_KEEP_MONTHLY,
      finalDays: read.BACKSTOP_RETENTION_FINAL_DAYS,
      quarantineDays: read.BACKSTOP_RETENTION_QUARANTINE_DAYS,
    },
    retentionIntervalHours: read.BACKSTOP_RETENTION_INTERVAL_HOURS,
  }
}
