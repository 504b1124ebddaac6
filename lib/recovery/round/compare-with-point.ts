/** Compares a table with its newest point inside the database: where they are equal the point is fresh again, and not a row was copied. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, jsonDigest } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import type { FoundRelation } from '../snapshot/index.ts'
import { buildDigestQuery, inOwnTransaction, readDefinition, SOURCE_SQL } from '../snapshot/index.ts'
import type { StopOptions } from '../stoppable.ts'
import { settleInTime } from '../stoppable.ts'

export type Comparison =
  /** `stateMark`: of the snapshot in which they were compared; null for an unlogged table. */
  | { readonly isEqual: true; readonly stateMark: string | null }
  | { readonly isEqual: false; readonly because: 'other-table' | 'definition' | 'rows' }

/**
 * Compare everything that a capture would store: the definition with the values of its sequences, then the rows by count and
 * whole-content digest, in one snapshot.
 *
 * Effects: one scan of the table
 * Throws:  `TABLE_MISSING`, `TABLE_UNSUPPORTED`, `StatementError`; after the signal `RUN_STOPPED`, `TABLE_TOO_LARGE_FOR_RUN`
 */
export async function compareWithPoint(database: Database, manifest: Manifest, stop: StopOptions): Promise<Comparison> {
  const { relation } = manifest
  const work = inOwnTransaction(database, relation, (session, found) => compare(session, found, manifest), stop.signal)
  return await settleInTime(work, stop, `the comparison of ${displayRelation(relation)}`, 'nothing')
}

async function compare(session: DatabaseSession, found: FoundRelation, manifest: Manifest): Promise<Comparison> {
  if (found.oid !== manifest.relationOid) return { isEqual: false, because: 'other-table' }
  const { definition } = await readDefinition(session, found.oid)
  if (jsonDigest(definition) !== jsonDigest(manifest.definition)) return { isEqual: false, because: 'definition' }
  const source = await readSource(session)
  if (source.encoding !== manifest.source.encoding) return { isEqual: false, because: 'definition' }
  const { digest, rowCount } = await readContent(session, found.relation, manifest)
  const { content } = manifest
  if (rowCount !== content.rowCount || digest !== content.digest) return { isEqual: false, because: 'rows' }
  return { isEqual: true, stateMark: definition.isUnlogged ? null : source.mark }
}

async function readSource(session: DatabaseSession) {
  const [row] = await session.query<{ mark: string; encoding: string }>(SOURCE_SQL)
  if (row === undefined) throw new BackstopError('BUG', 'the server did not say what it is')
  return row
}

async function readContent(session: DatabaseSession, relation: RelationName, { definition, content }: Manifest) {
  const query = buildDigestQuery(relation, content.columns, definition.kind === 'partitioned table')
  const [row] = await session.query<{ digest: string; row_count: string }>(query)
  if (row === undefined) throw new BackstopError('BUG', 'the server computed no digest')
  return { digest: row.digest, rowCount: Number(row.row_count) }
}
