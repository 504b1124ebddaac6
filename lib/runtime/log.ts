/** Structured log lines on standard error: one JSON object a line. */
import type { JsonObject } from '#lib/kernel/index.ts'

export type LogLevel = 'info' | 'warning' | 'error'
export type Log = (level: LogLevel, event: string, facts?: JsonObject) => void

export const logToStandardError: Log = (level, event, facts = {}) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, event, ...facts })}\n`)
}
