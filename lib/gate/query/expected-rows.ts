/** Where the rows are that an UPDATE or DELETE is about to reach: a hint for whoever keeps them. */
import type { DatabaseSession, RowPlace } from '#lib/ports/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { parametersOf } from './judge.ts'
import type { Judged } from './submission.ts'

/** Of more rows no pre-image is kept. */
const MOST_PLACES = 10_000
const PLACE_BYTES = 64
const SAVEPOINT = 'backstop_places'

/**
 * Ask with the statement's own predicate, in its transaction and with its rights, right before it runs.
 *
 * Returns: undefined where the rows were not counted before: then the predicate may have effects of its own, or reach a view
 */
export async function findExpectedRows(
  session: DatabaseSession,
  { statement, assessment, request }: Judged,
): Promise<readonly RowPlace[] | undefined> {
  const { method, rowCount = 0 } = assessment.impact
  if (statement.impact === undefined || method !== 'counted' || rowCount > MOST_PLACES) return undefined
  const options = { parameters: parametersOf(request), maxRows: MOST_PLACES, maxBytes: MOST_PLACES * PLACE_BYTES }
  await session.execute(`SAVEPOINT ${SAVEPOINT}`)
  try {
    const { rows, truncated } = await session.runCapped(statement.impact.placesQuery, options)
    await session.execute(`RELEASE ${SAVEPOINT}`)
    if (truncated !== undefined) return undefined
    return rows.map(([tableOid, ctid]) => ({ tableOid: String(tableOid), ctid: String(ctid) }))
  } catch (error) {
    if (!(error instanceof StatementError)) throw error
    await session.execute(`ROLLBACK TO ${SAVEPOINT}; RELEASE ${SAVEPOINT}`)
    return undefined
  }
}
