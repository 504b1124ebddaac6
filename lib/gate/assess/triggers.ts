/** The functions that fire when tables are written: an approval is bound to their bodies. */
import type { DatabaseSession } from '#lib/ports/index.ts'
import { lookUpFunctions } from './look-up.ts'
import type { ResolvedFunction } from './model.ts'

const TRIGGER_QUERY = `
SELECT DISTINCT t.tgfoid::int8::float8 AS oid FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = ANY ($1::oid[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D'`

/** Enabled triggers of users on the relations; VOLATILE is what a trigger function is, so nothing is raised. */
export async function findTriggerFunctions(
  session: DatabaseSession,
  relationOids: readonly number[],
): Promise<readonly ResolvedFunction[]> {
  const triggers = await session.query<{ oid: number }>(TRIGGER_QUERY, [[...relationOids]])
  if (triggers.length === 0) return []
  const rows = await lookUpFunctions(
    session,
    triggers.map((trigger) => trigger.oid),
  )
  return rows.map((row) => ({
    oid: row.oid,
    identity: row.identity,
    volatility: 'volatile',
    bodySha256: row.bodySha256,
  }))
}
