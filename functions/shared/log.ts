/** Log lines as JSON, each with the correlation id of what the instance works on. */
import { Logger } from '@aws-lambda-powertools/logger'
import type { JsonObject } from '#lib/kernel/index.ts'
import type { Log, LogLevel } from '#lib/product/index.ts'

let opened: Logger | undefined

function logger(): Logger {
  opened ??= new Logger({ serviceName: 'backstop' })
  return opened
}

const METHODS: Readonly<Record<LogLevel, 'info' | 'warn' | 'error'>> = { info: 'info', warning: 'warn', error: 'error' }

export const log: Log = (level, event, facts: JsonObject = {}) => logger()[METHODS[level]](event, { event, ...facts })

/** From here on every line carries it. */
export function correlateLog(correlationId: string): void {
  logger().setCorrelationId(correlationId)
}
