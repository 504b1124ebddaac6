/** The settings that make the database read a statement as the parser did, and bound what it may use. */
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { ExecutionSettings } from './model.ts'

/**
 * The parser reads with these; a database or role with other defaults would read another statement:
 * a backslash in a literal, `= NULL`, a date.
 */
const READ_AS_PARSED = [
  'standard_conforming_strings = on',
  'transform_null_equals = off',
  'backslash_quote = safe_encoding',
  "DateStyle = 'ISO, MDY'",
  'IntervalStyle = postgres',
  'bytea_output = hex',
  'extra_float_digits = 1',
  'row_security = on',
]

/**
 * What every session of the gate has from the start and again after each cleaning: set once and not with each statement, because
 * a dozen settings cost more than an ordinary query.
 *
 * Our own look-ups have one good plan each, so that they are planned once.
 */
export function sessionSettings(settings: ExecutionSettings): readonly string[] {
  const { limits } = settings
  return [
    ...READ_AS_PARSED,
    `search_path = ${settings.searchPath}, pg_temp`,
    `statement_timeout = ${limits.statementTimeoutMs}`,
    `lock_timeout = ${limits.lockTimeoutMs}`,
    `idle_in_transaction_session_timeout = ${limits.captureTimeoutMs}`,
    'plan_cache_mode = force_generic_plan',
  ]
}

/** An agent's statement with parameters is planned for their values. */
export const PLAN_FOR_VALUES = 'SET LOCAL plan_cache_mode = auto'

function setRole(settings: ExecutionSettings, scope: 'LOCAL' | 'SESSION'): string {
  return settings.agentRole === undefined ? '' : `; SET ${scope} ROLE ${quoteIdentifier(settings.agentRole)}`
}

/** Open a transaction in which nothing can be written; the agent's role holds from the start. */
export function beginRead(settings: ExecutionSettings, statementTimeoutMs: number): string {
  const isUsual = statementTimeoutMs === settings.limits.statementTimeoutMs
  return `BEGIN READ ONLY${isUsual ? '' : `; SET LOCAL statement_timeout = ${statementTimeoutMs}`}${setRole(settings, 'LOCAL')}`
}

/** For the rest of the transaction, or until the next of these. */
export function limitTime(statementTimeoutMs: number): string {
  return `SET LOCAL statement_timeout = ${statementTimeoutMs}`
}

/** Open a write's transaction, still with the rights of the gateway: locks and snapshots come before the agent's role. */
export function beginWrite(settings: ExecutionSettings): string {
  return `BEGIN; ${limitTime(settings.limits.captureTimeoutMs)}`
}

/** From here on the transaction has the agent's rights and time. */
export function becomeAgent(settings: ExecutionSettings): string {
  const { statementTimeoutMs } = settings.limits
  return `${limitTime(statementTimeoutMs)}; ${PLAN_FOR_VALUES}${setRole(settings, 'LOCAL')}`
}

/** For a session of its own that runs one statement outside of a transaction. */
export function enterSession(settings: ExecutionSettings): string {
  return `SET SESSION plan_cache_mode = auto${setRole(settings, 'SESSION')}`
}
