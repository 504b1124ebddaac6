/** Captures one range of a table inside an open transaction: its rows as parts, and the database's own digest of them. */
import { BackstopError, displayRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession, ObjectStore } from '#lib/ports/index.ts'
import { CopyDecoder, columnarColumn } from '../copy/index.ts'
import type { ManifestPart } from '../manifest/index.ts'
import { buildCopyQuery, buildDigestQuery } from './content-digest.ts'
import { copyRows } from './copy-rows.ts'
import type { RangeOrder, RangeOutcome, RangePorts } from './model.ts'
import { PartWriter } from './part-writer.ts'

/**
 * Capture the range as the session's transaction sees it.
 *
 * Invariants: the parts hold as many rows as the database counts in the range
 * Effects:    parts under the snapshot's prefix, each read back; removed again when the capture fails or a value does not fit
 * Throws:     `SNAPSHOT_CORRUPT`, `STORAGE_UNREACHABLE`, `StatementError`
 */
export async function captureRange(
  session: DatabaseSession,
  order: RangeOrder,
  ports: RangePorts,
): Promise<RangeOutcome> {
  const { relation, columns, isPartitioned, range } = order
  const schema = columns.map((column) => columnarColumn(column.name, column.encoding))
  const writer = new PartWriter(ports, order, schema)
  try {
    const query = buildCopyQuery(relation, columns, isPartitioned, range)
    const encodings = columns.map(({ encoding }) => encoding)
    const decoder = ports.decoders?.take(encodings, order.maxRowBytes) ?? new CopyDecoder(encodings, order.maxRowBytes)
    const outcome = await copyRows(session, query, decoder, writer, ports.groupBytes)
    if (!outcome.ok) {
      await writer.discard()
      return outcome
    }
    // The database computes its digest while the last parts are closed and read back.
    const [parts, digest] = await Promise.all([writer.finish(), readDigest(session, order, outcome.rowCount)])
    ports.decoders?.giveBack(encodings, order.maxRowBytes, decoder)
    return { ok: true, rowCount: outcome.rowCount, digest, parts }
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Remove parts that no manifest will name, as far as the store lets us. */
export async function discardParts(objects: ObjectStore, parts: readonly ManifestPart[]): Promise<void> {
  await Promise.allSettled(parts.map(({ key }) => objects.delete(key)))
}

/** The digest of the same rows, by the database; its own count must be ours. */
async function readDigest(session: DatabaseSession, order: RangeOrder, rowCount: number): Promise<string> {
  const { relation, columns, isPartitioned, range } = order
  const query = buildDigestQuery(relation, columns, isPartitioned, range)
  const rows = await session.query<{ digest: string; row_count: string }>(query)
  const row = rows[0]
  if (row === undefined || Number(row.row_count) !== rowCount) {
    throw new BackstopError(
      'SNAPSHOT_CORRUPT',
      `${rowCount} rows of ${displayRelation(relation)} were stored, and the database counts ${row?.row_count ?? 0}`,
    )
  }
  return row.digest
}
