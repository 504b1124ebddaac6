/** Compares the definition of a restored table with the captured one, piece by piece. */
import type { JsonValue, RelationName } from '#lib/kernel/index.ts'
import { canonicalJson } from '#lib/kernel/index.ts'
import type {
  ColumnDefinition,
  ConstraintDefinition,
  GrantDefinition,
  IndexDefinition,
  TableDefinition,
} from '../manifest/index.ts'
import { derivedName } from '../restore/index.ts'
import type { Finding } from './model.ts'

export interface Compared {
  readonly differences: readonly Finding[]
  readonly pieceCount: number
}

interface Piece {
  /** As the restore calls the statement that makes it. */
  readonly subject: string
  /** What it is found by on the restored table. */
  readonly key: string
  /** Everything about it that has to be equal. */
  readonly facts: JsonValue
}

/** The name that an index of the original has on the restored table. */
type NameOn = (name: string) => string

/**
 * Effects:    pure
 * Invariants: `excused` are subjects that the restore said it could not make; a piece is compared or excused, never passed over
 */
export function compareDefinitions(
  captured: TableDefinition,
  restored: TableDefinition,
  tables: { readonly source: RelationName; readonly target: RelationName },
  excused: ReadonlySet<string>,
): Compared {
  const wanted = piecesOf(captured, tables.source, (name) => derivedName(tables.target, name))
  const found = new Map(piecesOf(restored, tables.target, (name) => name).map(({ key, facts }) => [key, facts]))
  const differences: Finding[] = []
  let pieceCount = 0
  // Rights of the owner come with owning it: where the role may not hand the table over, nobody is there to have them.
  const isOwnerExcused = excused.has(`owner ${captured.owner}`)
  const isOfOwner = (subject: string) => subject.startsWith('grant of ') && subject.endsWith(` to ${captured.owner}`)
  for (const { subject, key, facts } of wanted) {
    if (excused.has(subject) || (isOwnerExcused && isOfOwner(subject))) continue
    pieceCount += 1
    const other = found.get(key)
    if (other === undefined) differences.push({ subject, reason: 'it was not restored' })
    else if (canonicalJson(facts) !== canonicalJson(other))
      differences.push({ subject, reason: 'it came back otherwise' })
  }
  return { differences, pieceCount }
}

function piecesOf(definition: TableDefinition, table: RelationName, nameOn: NameOn): readonly Piece[] {
  return [
    piece('storage of the table', { ...pick(definition, ['options', 'toastOptions', 'accessMethod']) }),
    piece(
      'columns in their order',
      definition.columns.map(({ name }) => name),
    ),
    ...unless(definition.comment === null, piece('comment on table', definition.comment)),
    ...unless(definition.rowSecurity === 'off', piece('row-level security', definition.rowSecurity)),
    ...unless(definition.partitionKey === null, partitioningPiece(definition)),
    ...unless((definition.ofType ?? null) === null, piece(`row type ${definition.ofType}`, true)),
    ...unless(definition.replicaIdentity === 'default', piece('replica identity', definition.replicaIdentity)),
    ...grantsOf(definition.grants, 'table'),
    ...definition.columns.flatMap(columnPieces),
    ...definition.constraints.flatMap((constraint) => constraintPieces(constraint, table, nameOn)),
    ...definition.indexes.filter(({ isValid }) => isValid).map((index) => indexPiece(index, nameOn)),
    ...definition.triggers
      .filter(({ isInherited }) => isInherited !== true)
      .map(({ definition: _text, isInherited: _above, ...trigger }) => piece(`trigger ${trigger.name}`, trigger)),
    ...definition.policies.map((policy) => piece(`policy ${policy.name}`, policy)),
  ]
}

function piece(subject: string, facts: JsonValue, key = subject): Piece {
  return { subject, key, facts }
}

/** Names are those of the scratch: bounds and keys say what the tree is. */
function partitioningPiece({ partitionKey, partitions }: TableDefinition): Piece {
  return piece('partitioning', {
    partitionKey,
    partitions: partitions.map(({ bound, key }) => [bound ?? '', key ?? '']).sort(),
  })
}

function unless(isPlain: boolean, one: Piece): readonly Piece[] {
  return isPlain ? [] : [one]
}

function columnPieces(column: ColumnDefinition): readonly Piece[] {
  const { name } = column
  const expression = column.generated === null ? null : column.expression
  const attributes = pick(column, ['storage', 'compression', 'statisticsTarget', 'options'])
  return [
    piece(`column ${name}`, { ...pick(column, ['type', 'collation', 'isNotNull', 'generated']), expression }),
    piece(`attributes of column ${name}`, { ...attributes }),
    ...unless(column.comment === null, piece(`comment on column ${name}`, column.comment)),
    ...defaultPieces(column),
    ...grantsOf(column.grants, `column ${name}`),
  ]
}

/** Of a sequence everything counts but where it is. */
function defaultPieces(column: ColumnDefinition): readonly Piece[] {
  const { schema: _schema, name: _name, ...sequence } = column.sequence ?? { schema: '', name: '' }
  if (column.identity !== null) {
    return [piece(`identity of column ${column.name}`, { kind: column.identity, sequence })]
  }
  if (column.isSerial) return [piece(`sequence of column ${column.name}`, sequence)]
  const isPlain = column.expression === null || column.generated !== null
  return unless(isPlain, piece(`default of column ${column.name}`, column.expression))
}

const INDEXED_KINDS: ReadonlySet<string> = new Set(['primary key', 'unique', 'exclusion'])

/** NOT NULL goes with the column. A foreign key of the table to itself turns to the restored table. */
function constraintPieces(constraint: ConstraintDefinition, table: RelationName, nameOn: NameOn): readonly Piece[] {
  const { name, kind, columns, isValidated, references, referenceHead, referenceTail, comment } = constraint
  if (kind === 'other' || kind === 'trigger' || kind === 'not null') return []
  const isSelf = references !== null && references.schema === table.schema && references.name === table.name
  const definition = isSelf ? { head: referenceHead, tail: referenceTail } : constraint.definition
  const key = `${kind} ${INDEXED_KINDS.has(kind) ? nameOn(name) : name}`
  return [piece(`${kind} ${name}`, { columns, isValidated, definition, comment }, key)]
}

function indexPiece(index: IndexDefinition, nameOn: NameOn): Piece {
  const facts = pick(index, ['isUnique', 'tail', 'isClustered', 'isReplicaIdentity', 'comment'])
  return piece(`index ${index.name}`, { ...facts }, `index ${nameOn(index.name)}`)
}

function grantsOf(grants: readonly GrantDefinition[], place: string): readonly Piece[] {
  return grants.map(({ grantee, privilege, isGrantable }) => {
    const subject = `grant of ${privilege} to ${grantee || 'PUBLIC'}`
    return piece(subject, isGrantable, `${subject} on ${place}`)
  })
}

function pick<T extends object, K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>
}
