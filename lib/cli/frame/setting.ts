/** Settings that a flag or an environment variable gives; the flag wins. */
import { BackstopError, type RelationName } from '#lib/kernel/index.ts'
import type { CommandContext } from './model.ts'

type Environment = CommandContext['environment']

/** No field of PostgreSQL is larger. */
const MOST_ROW_MEGABYTES = 1_024
const MOST_WORKERS = 32

/** Empty counts as unset, as everywhere. */
export function findSetting(given: string | undefined, variable: string, environment: Environment): string | undefined {
  const value = given ?? environment[variable]
  return value === undefined || value === '' ? undefined : value
}

/** Throws USAGE_INVALID when neither is given. */
export function getSetting(
  given: string | undefined,
  flag: string,
  variable: string,
  environment: Environment,
): string {
  const value = findSetting(given, variable, environment)
  if (value !== undefined) return value
  throw new BackstopError('USAGE_INVALID', `give ${flag} or set ${variable}`)
}

/** What a row may have at most, where it is set. Throws USAGE_INVALID. */
export function rowLimit(environment: Environment): { readonly maxRowMegabytes?: number } {
  const variable = 'BACKSTOP_SNAPSHOT_MAX_ROW_MEGABYTES'
  const maxRowMegabytes = findWhole(variable, 'a whole number of megabytes', [1, MOST_ROW_MEGABYTES], environment)
  return maxRowMegabytes === undefined ? {} : { maxRowMegabytes }
}

/** Sessions that capture one large table, where it is set. Throws USAGE_INVALID. */
export function workerCount(environment: Environment): { readonly captureWorkers?: number } {
  const captureWorkers = findWhole('BACKSTOP_CAPTURE_WORKERS', 'a whole number', [0, MOST_WORKERS], environment)
  return captureWorkers === undefined ? {} : { captureWorkers }
}

function findWhole(
  variable: string,
  what: string,
  [least, most]: readonly [least: number, most: number],
  environment: Environment,
): number | undefined {
  const value = findSetting(undefined, variable, environment)
  if (value === undefined) return undefined
  const whole = Number(value)
  if (Number.isInteger(whole) && whole >= least && whole <= most) return whole
  throw new BackstopError('USAGE_INVALID', `${variable} is ${what} from ${least} to ${most}`)
}

const NAME = /^(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))$/u
const PARTS = /"(?:[^"]|"")+"|[^."]+/g

function readName(part: string): string | undefined {
  const match = NAME.exec(part)
  return match?.[1]?.replaceAll('""', '"') ?? match?.[2]?.toLowerCase()
}

/**
 * Read `table`, `schema.table` or `"Quoted"."Name"` as SQL would: what is not quoted is folded to lower case.
 *
 * Throws: USAGE_INVALID
 */
export function readTable(text: string, schema = 'public'): RelationName {
  const parts = text.match(PARTS) ?? []
  const names = parts.map(readName)
  if (parts.join('.') === text && names.length <= 2 && names.every((name) => name !== undefined)) {
    const [first, second] = names
    if (first !== undefined) return second === undefined ? { schema, name: first } : { schema: first, name: second }
  }
  throw new BackstopError('USAGE_INVALID', 'a table is written as name, schema.name or "Quoted"."Name"')
}
