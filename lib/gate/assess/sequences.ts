/** Reads that take a number from a sequence for every row: no rollback and no limit on rows gives them back. */
import type { ClassifiedStatement, Finding } from '../classify/index.ts'

const READS = /^(EXPLAIN ANALYZE )?(SELECT|VALUES|TABLE)$/
/** Set-returning functions of pg_catalog by their usual names; a FROM is found by its word. */
const MAKES_ROWS =
  /^(generate_|unnest$|regexp_matches$|string_to_table$|regexp_split_to_table$|jsonb?_(array_elements|each|object_keys|path_query))/

/** One number at a time is what an application does before an INSERT. */
export function sequenceFindings(sql: string, statement: ClassifiedStatement): readonly Finding[] {
  const names = statement.functions.map((call) => call.name)
  if (!names.includes('nextval') || !READS.test(statement.operation)) return []
  if (!/\bfrom\b/i.test(sql) && !names.some((name) => MAKES_ROWS.test(name))) return []
  const message = 'nextval() for every row: the numbers of a sequence are used up, and no rollback brings them back.'
  return [{ code: 'sequence-sweep', level: 'HIGH', message }]
}
