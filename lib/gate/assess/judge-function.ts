/** From what the catalog says of a function to findings. */
import type { Finding } from '../classify/index.ts'
import type { FunctionRow } from './catalog-rows.ts'

/** Languages whose bodies are read like statements, see `closure.ts`. */
const READABLE_LANGUAGES = new Set(['sql', 'plpgsql'])

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
