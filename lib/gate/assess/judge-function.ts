/** From what the catalog says of a function to findings. */
import type { Finding } from '../classify/index.ts'
import type { FunctionRow } from './catalog-rows.ts'

/** Languages whose bodies are read like statements, see `closure.ts`. */
const READABLE_LANGUAGES = new Set(['sql', 'plpgsql'])

/** Volatile only because each call gives another value: pgcrypto and uuid-ossp. */
const RANDOM_OF_EXTENSIONS = new Set([
  'gen_random_uuid',
  'gen_random_bytes',
  'gen_salt',
  'uuid_generate_v1',
  'uuid_generate_v1mc',
  'uuid_generate_v4',
])

/** What CREATE TYPE … AS RANGE makes by itself. */
const MADE_WITH_A_TYPE = /^(multi)?range_constructor\d$/

/** A handler takes `internal`: no statement can call it, TABLESAMPLE and access methods do. */
function isHandler(row: FunctionRow): boolean {
  return row.isOfExtension && row.identity.endsWith('(internal)')
}

function isHarmless(row: FunctionRow): boolean {
  if (row.internalName !== null && MADE_WITH_A_TYPE.test(row.internalName)) return true
  return isHandler(row) || (row.isOfExtension && RANDOM_OF_EXTENSIONS.has(row.name))
}

function raise(code: string, message: string): Finding {
  return { code, level: 'HIGH', message }
}

/**
 * Why a function must not run in a read without anybody looking.
 *
 * An extension's C function is trusted to carry the right volatility. A user's C or internal function is not: nothing
 * checks that label, and its body cannot be read.
 */
export function judgeFunction(row: FunctionRow): readonly Finding[] {
  if (isHarmless(row)) return []
  const findings: Finding[] = []
  if (row.volatility === 'v')
    findings.push(raise('volatile-function', `${row.identity} is VOLATILE: it may change data.`))
  if (row.isSecurityDefiner) {
    findings.push(raise('security-definer-function', `${row.identity} runs with its owner's rights.`))
  }
  const isReadable = READABLE_LANGUAGES.has(row.language) || row.kind === 'a'
  if (!isReadable && !row.isOfExtension) {
    findings.push(
      raise('unreadable-function', `${row.identity} is written in ${row.language}: its body cannot be judged.`),
    )
  }
  return findings
}
