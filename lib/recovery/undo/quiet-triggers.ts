/** Keeps the triggers of users from firing while rows are set back: what they did is part of the pre-image already. */
import { displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { CurrentTable } from './current-rows.ts'

type Shape = Pick<CurrentTable, 'table' | 'isPartitioned'>

export interface QuietTriggers {
  /** `schema.table.trigger`, sorted. */
  readonly names: readonly string[]
  /** Each trigger back to how it was enabled. */
  wake(): Promise<void>
}

interface TriggerRow {
  readonly schema: string
  readonly table: string
  readonly name: string
  /** O origin, A always, R replica. */
  readonly enabled: 'O' | 'A' | 'R'
}

const TRIGGERS_SQL = `
SELECT n.nspname AS schema, c.relname AS table, g.tgname AS name, g.tgenabled AS enabled
FROM unnest($1::text[], $2::text[]) u(schema, name)
JOIN pg_catalog.pg_namespace rn ON rn.nspname = u.schema JOIN pg_catalog.pg_class r ON r.relnamespace = rn.oid AND r.relname = u.name
CROSS JOIN LATERAL (SELECT r.oid UNION SELECT p.relid::oid FROM pg_catalog.pg_partition_tree(r.oid) p) t(oid)
JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid
WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY 1, 2, 3`

const ENABLE = { O: 'ENABLE', A: 'ENABLE ALWAYS', R: 'ENABLE REPLICA' } as const
const MAY_NOT = '42501'
const SAVEPOINT = 'backstop_quiet'

/** Foreign keys go on being enforced: they are no triggers of users. Throws StatementError when a table is locked for too long. */
export async function quietTriggers(session: DatabaseSession, tables: readonly Shape[]): Promise<QuietTriggers> {
  const relations = tables.map((one) => one.table.relation)
  const triggers = await session.query<TriggerRow>(TRIGGERS_SQL, [
    relations.map((one) => one.schema),
    relations.map((one) => one.name),
  ])
  if (triggers.length === 0 || !(await disable(session, triggers))) return { names: [], wake: async () => {} }
  return {
    names: triggers.map(({ schema, table, name }) => `${displayRelation({ schema, name: table })}.${name}`),
    wake: () => session.execute(triggers.map((one) => switchSql(one, ENABLE[one.enabled])).join('; ')),
  }
}

function switchSql({ schema, table, name }: TriggerRow, how: string): string {
  return `ALTER TABLE ONLY ${quoteRelation({ schema, name: table })} ${how} TRIGGER ${quoteIdentifier(name)}`
}

/** False without the right to: then they fire, and what comes of it is compared with the plan. */
async function disable(session: DatabaseSession, triggers: readonly TriggerRow[]): Promise<boolean> {
  await session.execute(`SAVEPOINT ${SAVEPOINT}`)
  try {
    await session.execute(triggers.map((one) => switchSql(one, 'DISABLE')).join('; '))
    await session.execute(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    return true
  } catch (error) {
    if (!(error instanceof StatementError) || error.failure.sqlState !== MAY_NOT) throw error
    await session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
    return false
  }
}
