/** Reads a table's definition from the catalog: three statements, and one per owned sequence. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import { tableDefinitionSchema, tableSchema } from '../manifest/index.ts'
import { DEFINITION_SQL, DEFINITIONS_SQL, RELATION_SQL } from './catalog-sql.ts'
import type { BaseType } from './encoding.ts'
import type { FoundRelation, ReadDefinition } from './model.ts'
import { readRequired } from './read-required.ts'

const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast'])

interface CatalogColumn {
  readonly base: BaseType
  readonly sequence: { readonly schema: string; readonly name: string } | null
}

interface CatalogPartition {
  readonly oid: number
}

interface CatalogDefinition {
  readonly table: object
  readonly columns: readonly CatalogColumn[]
  readonly partitions: readonly CatalogPartition[]
}

/** Throws TABLE_MISSING, TABLE_UNSUPPORTED. */
export async function findRelation(session: DatabaseSession, relation: RelationName): Promise<FoundRelation> {
  const rows = await session.query<{ oid: string; kind: string; persistence: string }>(RELATION_SQL, [
    relation.schema,
    relation.name,
  ])
  const found = rows[0]
  if (found === undefined) {
    throw new BackstopError('TABLE_MISSING', `there is no table ${displayRelation(relation)}`)
  }
  const isTable = found.kind === 'r' || found.kind === 'p'
  if (!isTable || found.persistence === 't' || SYSTEM_SCHEMAS.has(relation.schema)) {
    throw new BackstopError('TABLE_UNSUPPORTED', `${displayRelation(relation)} is not an ordinary or partitioned table`)
  }
  return { relation, oid: Number(found.oid) }
}

/** The table must be locked against change. Settings must be FIXED_SETTINGS: names are read as fully qualified. */
export async function readDefinition(session: DatabaseSession, oid: number): Promise<ReadDefinition> {
  const rows = await session.query<{ definition: string }>(DEFINITION_SQL, [oid])
  const raw = JSON.parse(rows[0]?.definition ?? '{}') as CatalogDefinition
  const { table, columns, partitions, ...rest } = raw
  const definition = tableDefinitionSchema.parse({
    ...rest,
    ...table,
    columns: await withSequences(session, columns),
    partitions: await readPartitions(session, partitions),
    requires: await readRequired(session, oid),
  })
  return { definition, baseTypes: columns.map((column) => column.base) }
}

/** What each partition is by itself, all in one statement. */
async function readPartitions(session: DatabaseSession, partitions: readonly CatalogPartition[]): Promise<object[]> {
  if (partitions.length === 0) return []
  const oids = partitions.map(({ oid }) => oid)
  const rows = await session.query<{ definition: string }>(DEFINITIONS_SQL, [`{${oids.join(',')}}`])
  const read: object[] = []
  for (const [index, { oid: _oid, ...partition }] of partitions.entries()) {
    const { table, columns, ...rest } = JSON.parse(rows[index]?.definition ?? '{}') as CatalogDefinition
    const definition = tableSchema.parse({ ...rest, ...table, columns: await withSequences(session, columns) })
    read.push({ ...partition, definition })
  }
  return read
}

async function withSequences(session: DatabaseSession, columns: readonly CatalogColumn[]): Promise<object[]> {
  const read: object[] = []
  for (const { base: _base, sequence, ...column } of columns) {
    const state = sequence === null ? null : { ...sequence, ...(await readSequenceState(session, sequence)) }
    read.push({ ...column, sequence: state })
  }
  return read
}

async function readSequenceState(session: DatabaseSession, sequence: RelationName) {
  const rows = await session.query<{ lastValue: string; isCalled: boolean }>(
    `SELECT last_value::text AS "lastValue", is_called AS "isCalled" FROM ${quoteRelation(sequence)}`,
  )
  const state = rows[0]
  if (state === undefined)
    throw new BackstopError('TABLE_MISSING', `sequence ${displayRelation(sequence)} has no state`)
  return state
}
