/** Tries whether values of types that users and extensions bring can be read back, before anything is stored. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import type { ContentColumn } from '../manifest/index.ts'
import { unsupportedColumn } from './failure.ts'
import type { ReadDefinition } from './model.ts'

const SAVEPOINT = 'backstop_probe'
/** The role may read the table and not use its types: then nothing can be said. */
const DENIED = '42501'
/** Types below are the server's own, and known. */
const FIRST_USER_OID = 16_384

/** Classes of what an input function, or a cast that is not there, answers. */
const REFUSALS: ReadonlySet<string> = new Set(['0A', '22', '42'])

/**
 * Read one value of each such column back from its text. Some types have no input function that works, such as those of
 * index keys; nothing in the catalog tells them.
 *
 * Throws: `COLUMN_TYPE_UNSUPPORTED`
 */
export async function probeTypes(
  session: DatabaseSession,
  relation: RelationName,
  { definition, baseTypes }: ReadDefinition,
  columns: readonly ContentColumn[],
): Promise<void> {
  for (const [index, { name, type }] of definition.columns.entries()) {
    const isText = columns.some((column) => column.name === name && column.encoding.kind === 'text')
    const isForeign = baseTypes[index]?.parts.some(({ oid, kind }) => kind === 'b' && oid >= FIRST_USER_OID) === true
    if (!isText || !isForeign) continue
    const column = quoteIdentifier(name)
    const from = `${definition.kind === 'partitioned table' ? '' : 'ONLY '}${quoteRelation(relation)}`
    const probe = `SELECT format('%s', ${column})::pg_catalog.varchar::${type} IS NULL AS is_null FROM ${from} WHERE ${column} IS DISTINCT FROM NULL LIMIT 1`
    await session.execute(`SAVEPOINT ${SAVEPOINT}`)
    try {
      await session.query(probe)
      await session.execute(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    } catch (error) {
      if (!(error instanceof StatementError)) throw error
      await session.execute(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
      if (error.failure.sqlState === DENIED) continue
      if (REFUSALS.has(error.failure.sqlState.slice(0, 2))) throw unsupportedColumn(relation, name, type)
      throw error
    }
  }
}
