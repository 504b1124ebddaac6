/** The rows that an UPDATE or DELETE would reach, as a SELECT with the same predicate. */
import type { ImpactShape } from './model.ts'
import type { ParsedStatement } from './parser.ts'

export function buildImpactQuery(_text: string, _statement: ParsedStatement): ImpactShape | undefined {
  return undefined
}
