/** SQL that makes the bare table, its columns' attributes and its sequences. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, SequenceDefinition, TableDefinition } from '../manifest/index.ts'
import type { Rename, RestoreStatement } from './model.ts'
import { derivedName } from './names.ts'

/** CREATE TABLE with exact types, collations, generated columns and NOT NULL; everything else follows the rows. */
export function buildCreateTable(target: RelationName, definition: TableDefinition): string {
  const columns = buildColumns(definition)
  const unlogged = definition.isUnlogged ? 'UNLOGGED ' : ''
  return `CREATE ${unlogged}TABLE ${quoteRelation(target)} (${columns.join(', ')})${buildStorage(definition)}`
}

/** From PostgreSQL 18 on NOT NULL has a name; one that was never validated comes after the rows, which it may not fit. */
export function buildColumns(definition: Pick<TableDefinition, 'columns' | 'constraints'>): string[] {
  const notNull = new Map(
    definition.constraints
      .filter(({ kind }) => kind === 'not null')
      .map((constraint) => [constraint.columns[0], constraint]),
  )
  return definition.columns.map((column) => {
    const named = notNull.get(column.name)
    if (named?.isValidated === false) return buildColumn({ ...column, isNotNull: false }, undefined)
    const noInherit = named?.definition.endsWith(' NO INHERIT') === true ? ' NO INHERIT' : ''
    return `${buildColumn(column, named?.name)}${noInherit}`
  })
}

/** Access method, of a partitioned table that which new partitions get, and storage parameters, which are those of its partitions. */
export function buildStorage(
  definition: Pick<TableDefinition, 'kind' | 'accessMethod' | 'options' | 'toastOptions'>,
): string {
  const method = definition.accessMethod === null ? '' : ` USING ${quoteIdentifier(definition.accessMethod)}`
  return definition.kind === 'partitioned table' ? method : `${method}${buildOptions(definition)}`
}

export function buildColumn(column: ColumnDefinition, notNullName: string | undefined): string {
  const parts = [quoteIdentifier(column.name), column.type]
  if (column.collation !== null) parts.push(`COLLATE ${quoteRelation(column.collation)}`)
  if (column.generated !== null)
    parts.push(`GENERATED ALWAYS AS (${column.expression ?? ''}) ${column.generated.toUpperCase()}`)
  if (column.isNotNull)
    parts.push(notNullName === undefined ? 'NOT NULL' : `CONSTRAINT ${quoteIdentifier(notNullName)} NOT NULL`)
  return parts.join(' ')
}

function buildOptions(definition: Pick<TableDefinition, 'options' | 'toastOptions'>): string {
  const options = [...definition.options, ...definition.toastOptions.map((option) => `toast.${option}`)].map(
    (option) => {
      const split = option.indexOf('=')
      return `${option.slice(0, split)}=${quoteLiteral(option.slice(split + 1))}`
    },
  )
  return options.length === 0 ? '' : ` WITH (${options.join(', ')})`
}

/** Storage, compression, statistics target and options of a column. */
export function buildColumnAttributes(target: RelationName, column: ColumnDefinition): RestoreStatement[] {
  const alter = `ALTER TABLE ${quoteRelation(target)} ALTER COLUMN ${quoteIdentifier(column.name)}`
  const subject = `attributes of column ${column.name}`
  const changes: string[] = []
  if (column.storage !== null) changes.push(`SET STORAGE ${column.storage.toUpperCase()}`)
  if (column.compression !== null) changes.push(`SET COMPRESSION ${column.compression}`)
  if (column.statisticsTarget !== null) changes.push(`SET STATISTICS ${column.statisticsTarget}`)
  if (column.options.length > 0) changes.push(`SET (${column.options.join(', ')})`)
  return changes.map((change) => ({ subject, sql: `${alter} ${change}` }))
}

/** The default, the identity or the serial sequence of a column, with the sequence where the original's stood. */
export function buildDefault(
  target: RelationName,
  column: ColumnDefinition,
  nameOf: (sequence: SequenceDefinition) => RelationName = (sequence) => sequenceName(target, sequence),
): RestoreStatement[] {
  const alter = `ALTER TABLE ${quoteRelation(target)} ALTER COLUMN ${quoteIdentifier(column.name)}`
  if (column.identity !== null && column.sequence !== null) {
    const name = nameOf(column.sequence)
    const options = `SEQUENCE NAME ${quoteRelation(name)} ${sequenceOptions(column.sequence)}`
    const sql = `${alter} ADD GENERATED ${column.identity.toUpperCase()} AS IDENTITY (${options}); ${setSequence(name, column.sequence)}`
    return [{ subject: `identity of column ${column.name}`, sql }]
  }
  if (column.isSerial && column.sequence !== null) {
    const name = nameOf(column.sequence)
    const sql = [
      `CREATE SEQUENCE ${quoteRelation(name)} AS ${column.sequence.type} ${sequenceOptions(column.sequence)}`,
      `ALTER SEQUENCE ${quoteRelation(name)} OWNED BY ${quoteRelation(target)}.${quoteIdentifier(column.name)}`,
      setSequence(name, column.sequence),
      `${alter} SET DEFAULT nextval(${quoteLiteral(quoteRelation(name))}::regclass)`,
    ].join('; ')
    return [{ subject: `sequence of column ${column.name}`, sql }]
  }
  if (column.expression === null || column.generated !== null) return []
  return [{ subject: `default of column ${column.name}`, sql: `${alter} SET DEFAULT ${column.expression}` }]
}

export function sequenceRenames(target: RelationName, definition: TableDefinition): Rename[] {
  return definition.columns.flatMap((column): Rename[] => {
    if (column.sequence === null || !(column.isSerial || column.identity !== null)) return []
    const recovered = sequenceName(target, column.sequence).name
    return [{ kind: 'sequence', recovered, original: column.sequence.name }]
  })
}

function sequenceName(target: RelationName, sequence: SequenceDefinition): RelationName {
  return { schema: target.schema, name: derivedName(target, sequence.name) }
}

function sequenceOptions(sequence: SequenceDefinition): string {
  const { start, increment, minimum, maximum, cache, isCycling } = sequence
  return (
    `INCREMENT BY ${increment} MINVALUE ${minimum} MAXVALUE ${maximum} START WITH ${start} CACHE ${cache}` +
    (isCycling ? ' CYCLE' : ' NO CYCLE')
  )
}

function setSequence(name: RelationName, sequence: SequenceDefinition): string {
  return `SELECT setval(${quoteLiteral(quoteRelation(name))}, ${sequence.lastValue}, ${sequence.isCalled})`
}
