/** SQL that describes a table's whole content, independent of the way in which the product compares it. */
import { quoteIdentifier } from '#lib/kernel/index.ts'
import type { DemoWorld, TableState } from './model.ts'

/** The same for the same rows and for no others: a digest over every row's text in order. */
export function contentSql(table: string): string {
  return `SELECT encode(sha256(convert_to(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C"), ''), 'UTF8')), 'hex')
          FROM ${quoteIdentifier(table)} t`
}

export function countSql(table: string): string {
  return `SELECT count(*)::int FROM ${quoteIdentifier(table)}`
}

export async function readState(world: Pick<DemoWorld, 'ask'>, table: string): Promise<TableState> {
  return { rowCount: Number(await world.ask(countSql(table))), content: String(await world.ask(contentSql(table))) }
}

/** Throws when an earlier step did not get so far. */
export function remembered<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`an earlier step left no ${what}`)
  return value
}
