/** Captures one table inside an open transaction: definition, rows, digest, manifest, and proof that all can be read. */
import type { RelationName, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, instantFrom } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { ColumnEncoding } from '../copy/index.ts'
import { columnarColumn } from '../copy/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { decodeManifest, encodeManifest, MANIFEST_FORMAT, MANIFEST_VERSION, manifestKey } from '../manifest/index.ts'
import { SOURCE_SQL } from './catalog-sql.ts'
import { buildCopyQuery, buildDigestQuery } from './content-digest.ts'
import { copyRows } from './copy-rows.ts'
import { hasExactHash, planEncoding, widerEncoding } from './encoding.ts'
import type { CapturePorts, CaptureRequest, FoundRelation, ReadDefinition } from './model.ts'
import { isStored } from './model.ts'
import { PartWriter } from './part-writer.ts'
import { readDefinition } from './read-definition.ts'

export interface CapturedTable {
  readonly manifest: Manifest
  readonly manifestKey: string
  readonly manifestSha256: Sha256Hex
}

interface StoredColumn {
  readonly name: string
  readonly encoding: ColumnEncoding
  readonly isHashed: boolean
}

interface StoredContent {
  readonly columns: readonly StoredColumn[]
  readonly rowCount: number
  readonly parts: PartWriter
}

/**
 * Capture a table as the session's open transaction sees it.
 *
 * Invariants: the manifest is written last and only once; before it is there, nothing counts
 * Effects:    objects under the snapshot's prefix, removed again when the capture fails
 * Throws:     `COLUMN_TYPE_UNSUPPORTED`, `SNAPSHOT_CORRUPT`, `STORAGE_UNREACHABLE`, `StatementError`
 */
export async function captureTable(
  session: DatabaseSession,
  found: FoundRelation,
  request: CaptureRequest,
  ports: CapturePorts,
): Promise<CapturedTable> {
  const read = await readDefinition(session, found.oid)
  const source = await readSource(session, request, read.definition.isUnlogged)
  const content = await storeContent(session, read, request, ports)
  try {
    // The database computes its digest while the last parts are closed and read back.
    const [parts, digest] = await Promise.all([
      content.parts.finish(),
      readDigest(session, request.relation, read, content),
    ])
    const manifest: Manifest = {
      format: MANIFEST_FORMAT,
      version: MANIFEST_VERSION,
      snapshotId: request.snapshotId,
      relation: request.relation,
      relationOid: found.oid,
      origin: request.origin,
      capturedAt: instantFrom(request.capturedAtMs),
      ...(request.setId === undefined ? {} : { setId: request.setId }),
      source: { database: ports.databaseLabel, lsn: request.lsn, ...source },
      definition: read.definition,
      content: { columns: [...content.columns], rowCount: content.rowCount, digest },
      parts: [...parts],
    }
    return await writeManifest(manifest, ports)
  } catch (error) {
    await content.parts.discard()
    throw error
  }
}

/** Write the manifest and read it back. */
async function writeManifest(manifest: Manifest, ports: CapturePorts): Promise<CapturedTable> {
  const key = manifestKey(manifest.relation, manifest.snapshotId)
  const { bytes, sha256 } = encodeManifest(manifest)
  try {
    await ports.objects.put(key, bytes, { ifAbsent: true })
    decodeManifest(await ports.objects.read(key), sha256)
  } catch (error) {
    await ports.objects.delete(key).catch(() => undefined)
    throw error
  }
  return { manifest, manifestKey: key, manifestSha256: sha256 }
}

/** An unlogged table has no mark: a crash empties it without a transaction. */
async function readSource(session: DatabaseSession, request: CaptureRequest, isUnlogged: boolean) {
  const rows = await session.query<{ server_version: string; encoding: string; mark: string }>(SOURCE_SQL)
  const row = rows[0]
  if (row === undefined) throw new BackstopError('BUG', 'the server did not say what it is')
  const stateMark = request.isSnapshotOwn && !isUnlogged ? row.mark : null
  return { serverVersion: Number(row.server_version), encoding: row.encoding, stateMark }
}

/** Store the rows, again with a wider encoding for each column that turns out to need one. */
async function storeContent(
  session: DatabaseSession,
  read: ReadDefinition,
  request: CaptureRequest,
  ports: CapturePorts,
): Promise<StoredContent> {
  const { relation, snapshotId } = request
  const columns = planColumns(relation, read)
  for (;;) {
    const schema = columns.map((column) => columnarColumn(column.name, column.encoding))
    const parts = new PartWriter(ports, relation, snapshotId, schema)
    try {
      const encodings = columns.map((column) => column.encoding)
      const outcome = await copyRows(session, copyQueryOf(relation, read, columns), encodings, parts)
      if (outcome.ok) return { columns, rowCount: outcome.rowCount, parts }
      columns[outcome.columnIndex] = widen(relation, columns[outcome.columnIndex])
      await parts.discard()
    } catch (error) {
      await parts.discard()
      throw error
    }
  }
}

function planColumns(relation: RelationName, { definition, baseTypes }: ReadDefinition): StoredColumn[] {
  return definition.columns.flatMap((column, index) => {
    if (!isStored(column)) return []
    const baseType = baseTypes[index]
    const encoding = baseType === undefined ? undefined : planEncoding(baseType)
    if (baseType === undefined || encoding === undefined) throw unsupportedColumn(relation, column.name, column.type)
    return [{ name: column.name, encoding, isHashed: hasExactHash(baseType) }]
  })
}

function widen(relation: RelationName, column: StoredColumn | undefined): StoredColumn {
  const encoding = column === undefined ? undefined : widerEncoding(column.encoding)
  if (column === undefined || encoding === undefined) throw unsupportedColumn(relation, column?.name ?? '', 'value')
  return { ...column, encoding }
}

function unsupportedColumn(relation: RelationName, column: string, type: string): BackstopError {
  return new BackstopError(
    'COLUMN_TYPE_UNSUPPORTED',
    `column "${column}" of ${displayRelation(relation)} has type ${type}, which cannot be captured exactly`,
    { details: { column, type } },
  )
}

function copyQueryOf(relation: RelationName, read: ReadDefinition, columns: readonly StoredColumn[]): string {
  return buildCopyQuery(relation, columns, read.definition.kind === 'partitioned table')
}

/** The digest of the same rows, by the database; its own count must be ours. */
async function readDigest(
  session: DatabaseSession,
  relation: RelationName,
  read: ReadDefinition,
  content: StoredContent,
) {
  const query = buildDigestQuery(relation, content.columns, read.definition.kind === 'partitioned table')
  const rows = await session.query<{ digest: string; row_count: string }>(query)
  const row = rows[0]
  if (row === undefined || Number(row.row_count) !== content.rowCount) {
    throw new BackstopError(
      'SNAPSHOT_CORRUPT',
      `${content.rowCount} rows of ${displayRelation(relation)} were stored, and the database counts ${row?.row_count ?? 0}`,
    )
  }
  return row.digest
}
