/** Captures one table inside an open transaction: definition, rows, digest, manifest, and proof that all can be read. */
import type { RelationName, Sha256Hex } from '#lib/kernel/index.ts'
import { BackstopError, instantFrom } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { ContentColumn, Manifest } from '../manifest/index.ts'
import { decodeManifest, encodeManifest, MANIFEST_FORMAT, MANIFEST_VERSION, manifestKey } from '../manifest/index.ts'
import { discardParts } from './capture-range.ts'
import type { Sharing } from './capture-ranges.ts'
import { captureRanges } from './capture-ranges.ts'
import { HEAP_SQL, SOURCE_SQL } from './catalog-sql.ts'
import { hasExactHash, planEncoding, readFormOf, widerEncoding } from './encoding.ts'
import { unsupportedColumn } from './failure.ts'
import type { CapturedRange, CapturePorts, CaptureRequest, FoundRelation, ReadDefinition } from './model.ts'
import { isStored } from './model.ts'
import type { HeapFacts, PageRange } from './plan-ranges.ts'
import { planRanges, WHOLE_TABLE } from './plan-ranges.ts'
import { probeTypes } from './probe-types.ts'
import { readDefinition } from './read-definition.ts'

export interface CapturedTable {
  readonly manifest: Manifest
  readonly manifestKey: string
  readonly manifestSha256: Sha256Hex
}

interface StoredContent extends CapturedRange {
  readonly columns: readonly ContentColumn[]
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
  const content = await storeContent(session, found, read, request, ports)
  try {
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
      content: { columns: [...content.columns], rowCount: content.rowCount, digest: content.digest },
      parts: [...content.parts],
    }
    return await writeManifest(manifest, ports)
  } catch (error) {
    await discardParts(ports.objects, content.parts)
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
  found: FoundRelation,
  read: ReadDefinition,
  request: CaptureRequest,
  ports: CapturePorts,
): Promise<StoredContent> {
  const { relation, snapshotId } = request
  const columns = planColumns(relation, read)
  await probeTypes(session, relation, read, columns)
  const isPartitioned = read.definition.kind === 'partitioned table'
  const { ranges, sharing } = await planWork(session, found, read, request, ports)
  for (;;) {
    const limited = ports.maxRowBytes === undefined ? {} : { maxRowBytes: ports.maxRowBytes }
    const order = { relation, snapshotId, columns: [...columns], isPartitioned, ...limited }
    const orders = ranges.map((range) => ({ ...order, range }))
    const outcome = await captureRanges(session, orders, ports, sharing)
    if (outcome.ok) return { ...outcome, columns }
    columns[outcome.columnIndex] = widen(relation, columns[outcome.columnIndex])
  }
}

interface PlannedWork {
  readonly ranges: readonly PageRange[]
  readonly sharing?: Sharing
}

/** Ranges for a large table whose snapshot can be shared; any other table is one range, and nobody is asked to help. */
async function planWork(
  session: DatabaseSession,
  found: FoundRelation,
  { definition }: ReadDefinition,
  { exportName }: CaptureRequest,
  { helpers }: CapturePorts,
): Promise<PlannedWork> {
  const whole = { ranges: [WHOLE_TABLE] }
  const isHeap = definition.kind === 'table' && definition.accessMethod === 'heap'
  if (helpers === undefined || helpers.count === 0 || exportName === undefined || !isHeap) return whole
  const heap = await readHeap(session, found.oid)
  if (heap.tableBytes < helpers.fromBytes) return whole
  const ranges = planRanges(heap, helpers.rangeBytes)
  if (ranges.length < 2) return whole
  return { ranges, sharing: { helpers, snapshotName: await exportName() } }
}

async function readHeap(session: DatabaseSession, oid: number): Promise<HeapFacts> {
  const rows = await session.query<{ pages: string; bytes: string }>(HEAP_SQL, [oid])
  return { pageCount: Number(rows[0]?.pages ?? 0), tableBytes: Number(rows[0]?.bytes ?? 0) }
}

function planColumns(relation: RelationName, { definition, baseTypes }: ReadDefinition): ContentColumn[] {
  return definition.columns.flatMap((column, index) => {
    if (!isStored(column)) return []
    const baseType = baseTypes[index]
    const encoding = baseType === undefined ? undefined : planEncoding(baseType)
    if (baseType === undefined || encoding === undefined) throw unsupportedColumn(relation, column.name, column.type)
    const readAs = readFormOf(baseType)
    const form = readAs === undefined ? {} : { readAs }
    return [{ name: column.name, encoding, isHashed: hasExactHash(baseType), ...form }]
  })
}

function widen(relation: RelationName, column: ContentColumn | undefined): ContentColumn {
  const encoding = column === undefined ? undefined : widerEncoding(column.encoding)
  if (column === undefined || encoding === undefined) throw unsupportedColumn(relation, column?.name ?? '', 'value')
  return { ...column, encoding }
}
