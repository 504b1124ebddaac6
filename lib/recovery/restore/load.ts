/** Parts back into a table: COPY BINARY, by way of a temporary table where columns are stored as text. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { Columnar, ColumnBatch, DatabaseSession, ObjectStore } from '#lib/ports/index.ts'
import { encodeCopyHeader, encodeCopyRows, encodeCopyTrailer, isCastForm, reuseBytes } from '../copy/index.ts'
import type { ContentColumn, Manifest } from '../manifest/index.ts'
import { buildDigestQuery } from '../snapshot/index.ts'

export interface LoadPorts {
  readonly objects: ObjectStore
  readonly columnar: Columnar
}

const STAGING = 'backstop_staging'

/** Load every row; returns their number. `isNew`: the table was made in this transaction. `batches`: `readAhead`'s, if it was called. */
export async function loadRows(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
  isNew: boolean,
  ports: LoadPorts,
  onRows: (count: number) => void,
  batches: AsyncIterable<ColumnBatch> = readBatches(manifest, ports),
): Promise<number> {
  const { columns } = manifest.content
  if (columns.length === 0) return await loadEmptyRows(session, manifest.content.rowCount, target)
  const rows = encodeRows(manifest, batches, onRows)
  const list = columns.map((column) => quoteIdentifier(column.name)).join(', ')
  if (!columns.some((column) => isCastForm(column.encoding))) {
    // FREEZE: nobody else can see the table yet, and its rows need no second visit by vacuum.
    const freeze = isNew && manifest.definition.partitionKey === null ? ', FREEZE' : ''
    return await session.copyIn(`COPY ${quoteRelation(target)} (${list}) FROM STDIN (FORMAT binary${freeze})`, rows)
  }
  await session.execute(buildStaging(manifest))
  const count = await session.copyIn(`COPY pg_temp.${STAGING} FROM STDIN (FORMAT binary)`, rows)
  await session.execute(buildTransfer(manifest, target, list))
  return count
}

function buildStaging(manifest: Manifest): string {
  const types = new Map(manifest.definition.columns.map((column) => [column.name, column.type]))
  const columns = manifest.content.columns.map(({ name, encoding }) => {
    const type = isCastForm(encoding) ? 'pg_catalog.varchar' : types.get(name)
    return `${quoteIdentifier(name)} ${type}`
  })
  return `CREATE TEMPORARY TABLE ${STAGING} (${columns.join(', ')}) ON COMMIT DROP`
}

/** The cast from varchar runs the type's input function; one from text may be a user's own. */
function buildTransfer(manifest: Manifest, target: RelationName, list: string): string {
  const types = new Map(manifest.definition.columns.map((column) => [column.name, column.type]))
  const values = manifest.content.columns.map(({ name, encoding }) => castOf(name, encoding, types.get(name) ?? 'text'))
  return (
    `INSERT INTO ${quoteRelation(target)} (${list}) OVERRIDING SYSTEM VALUE SELECT ${values.join(', ')} ` +
    `FROM pg_temp.${STAGING}; DROP TABLE pg_temp.${STAGING}`
  )
}

function castOf(name: string, encoding: ContentColumn['encoding'], type: string): string {
  return isCastForm(encoding) ? `${quoteIdentifier(name)}::${type}` : quoteIdentifier(name)
}

/** Rows of a table without stored columns. */
async function loadEmptyRows(session: DatabaseSession, rowCount: number, target: RelationName): Promise<number> {
  for (let row = 0; row < rowCount; row += 1)
    await session.execute(`INSERT INTO ${quoteRelation(target)} DEFAULT VALUES`)
  return rowCount
}

async function* encodeRows(
  manifest: Manifest,
  batches: AsyncIterable<ColumnBatch>,
  onRows: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  const encodings = manifest.content.columns.map((column) => column.encoding)
  const takeBytes = reuseBytes()
  yield encodeCopyHeader()
  for await (const batch of batches) {
    yield* encodeCopyRows(batch, encodings, takeBytes)
    onRows(batch.rowCount)
  }
  yield encodeCopyTrailer()
}

/** The rows to load, their first group asked for at once: it is unpacked while the transaction is opened. */
export function readAhead(manifest: Manifest, ports: LoadPorts): AsyncIterable<ColumnBatch> {
  const batches = readBatches(manifest, ports)
  const first = batches.next()
  // Told to whoever takes it.
  first.catch(() => undefined)
  return followedBy(first, batches)
}

async function* followedBy<T>(
  first: Promise<IteratorResult<T, void>>,
  rest: AsyncGenerator<T, void>,
): AsyncGenerator<T> {
  const { done, value } = await first
  if (done === true) return
  yield value
  yield* rest
}

/** The next group is read and unpacked while the last one is sent. */
async function* readBatches(manifest: Manifest, ports: LoadPorts): AsyncGenerator<ColumnBatch, void> {
  let next: Promise<ColumnBatch> | undefined
  for (const part of manifest.parts) {
    const reader = await ports.columnar.openReader(ports.objects, part.key)
    for (let group = 0; group < reader.groupCount; group += 1) {
      const ready = next
      next = reader.readGroup(group)
      next.catch(() => undefined)
      if (ready !== undefined) yield await ready
    }
  }
  if (next !== undefined) yield await next
}

/**
 * Compare what the database now holds with what it held at the capture.
 *
 * Throws: `RESTORE_MISMATCH`
 */
export async function compareContent(
  session: DatabaseSession,
  manifest: Manifest,
  target: RelationName,
): Promise<void> {
  const query = buildDigestQuery(target, manifest.content.columns, manifest.definition.kind === 'partitioned table')
  const rows = await session.query<{ digest: string; row_count: string }>(query)
  const { digest, row_count: rowCount } = rows[0] ?? { digest: '', row_count: '' }
  if (rowCount !== String(manifest.content.rowCount)) {
    throw mismatch(`${rowCount} rows were restored instead of ${manifest.content.rowCount}`)
  }
  if (digest !== manifest.content.digest) throw mismatch('the restored rows are not those of the snapshot')
}

function mismatch(message: string): BackstopError {
  return new BackstopError('RESTORE_MISMATCH', message)
}
