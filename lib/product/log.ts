/** Structured log lines: an event's name and its facts. Where they go is the runtime's business. */
import type { JsonObject } from '#lib/kernel/index.ts'

export type LogLevel = 'info' | 'warning' | 'error'
export type Log = (level: LogLevel, event: string, facts?: JsonObject) => void
