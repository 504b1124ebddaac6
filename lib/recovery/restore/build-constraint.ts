/** SQL of constraints and indexes on a table of another name, from their parts and never by replacing text. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ConstraintDefinition, IndexDefinition, Manifest } from '../manifest/index.ts'
import type { NotRebuilt, Rename, RestoreStatement, StandIns } from './model.ts'
import { derivedName } from './names.ts'

/** Keys come first: foreign keys of the table to itself need them. */
const KIND_ORDER: readonly ConstraintDefinition['kind'][] = [
  'primary key',
  'unique',
  'exclusion',
  'check',
  'foreign key',
]
const INDEXED_KINDS: ReadonlySet<string> = new Set(['primary key', 'unique', 'exclusion'])

interface Built {
  readonly statements: readonly RestoreStatement[]
  readonly notRebuilt: readonly NotRebuilt[]
  readonly renames: readonly Rename[]
}

/** NOT NULL constraints are part of CREATE TABLE, but for those that were never validated. */
export function buildConstraints(target: RelationName, manifest: Manifest, standIns: StandIns): Built {
  const statements: RestoreStatement[] = []
  const notRebuilt: NotRebuilt[] = []
  const renames: Rename[] = []
  const ordered = manifest.definition.constraints
    .filter(({ kind, isValidated }) => KIND_ORDER.includes(kind) || (kind === 'not null' && !isValidated))
    .sort((left, right) => KIND_ORDER.indexOf(left.kind) - KIND_ORDER.indexOf(right.kind))
  for (const constraint of ordered) {
    const subject = `${constraint.kind} ${constraint.name}`
    const definition = definitionOn(target, manifest, constraint, standIns)
    if (definition === undefined) {
      notRebuilt.push({ subject, reason: 'its definition refers to the original table in a form that is not known' })
      continue
    }
    const isIndexed = INDEXED_KINDS.has(constraint.kind)
    const name = isIndexed ? derivedName(target, constraint.name) : constraint.name
    if (isIndexed) renames.push({ kind: 'index', recovered: name, original: constraint.name })
    const add = `ALTER TABLE ${quoteRelation(target)} ADD CONSTRAINT ${quoteIdentifier(name)} ${definition}`
    const isForeignKey = constraint.kind === 'foreign key'
    const options = isIndexed ? indexOptions(manifest, constraint.name) : []
    statements.push(isForeignKey ? { subject, sql: add, stage: 'foreign key' } : { subject, sql: add })
    if (options.length > 0) {
      const index = quoteRelation({ schema: target.schema, name })
      statements.push({ subject: `storage of ${subject}`, sql: `ALTER INDEX ${index} SET (${options.join(', ')})` })
    }
  }
  const unknown = manifest.definition.constraints.filter(({ kind }) => kind === 'other')
  for (const { name } of unknown) notRebuilt.push({ subject: `constraint ${name}`, reason: 'its kind is not known' })
  return { statements, notRebuilt, renames }
}

/** Storage parameters of the index behind a constraint: they are no part of the constraint's definition. */
function indexOptions({ definition }: Manifest, constraint: string): readonly string[] {
  return definition.indexes.find((index) => index.constraint === constraint)?.options ?? []
}

/** A foreign key to the table itself turns to the target; one to a table that is restored beside it, to its stand-in. */
function definitionOn(
  target: RelationName,
  manifest: Manifest,
  constraint: ConstraintDefinition,
  standIns: StandIns,
): string | undefined {
  const { references, definition, referenceHead, referenceTail } = constraint
  const isSelf = references?.schema === manifest.relation.schema && references.name === manifest.relation.name
  const standIn = isSelf ? target : references === null ? undefined : standIns.get(quoteRelation(references))
  if (standIn === undefined) return definition
  if (referenceHead === null || referenceTail === null) return undefined
  return `${referenceHead}${quoteRelation(standIn)}${referenceTail}`
}

/** Indexes without a constraint. An invalid index is the remains of a failed build. */
export function buildIndexes(target: RelationName, indexes: readonly IndexDefinition[]): Built {
  const statements: RestoreStatement[] = []
  const notRebuilt: NotRebuilt[] = []
  const renames: Rename[] = []
  for (const index of indexes) {
    if (index.constraint !== null) continue
    const subject = `index ${index.name}`
    if (index.tail === null || !index.isValid) {
      notRebuilt.push({ subject, reason: index.isValid ? 'its definition has an unknown form' : 'it was not valid' })
      continue
    }
    const name = derivedName(target, index.name)
    const unique = index.isUnique ? 'UNIQUE ' : ''
    statements.push({
      subject,
      sql: `CREATE ${unique}INDEX ${quoteIdentifier(name)} ON ${quoteRelation(target)} ${index.tail}`,
    })
    renames.push({ kind: 'index', recovered: name, original: index.name })
  }
  return { statements, notRebuilt, renames }
}

/** CLUSTER mark and replica identity. */
export function buildIndexMarks(target: RelationName, manifest: Manifest): RestoreStatement[] {
  const alter = `ALTER TABLE ${quoteRelation(target)}`
  const { indexes, replicaIdentity } = manifest.definition
  const statements: RestoreStatement[] = []
  const clustered = indexes.find((index) => index.isClustered)
  if (clustered !== undefined) {
    const name = quoteIdentifier(derivedName(target, clustered.name))
    statements.push({ subject: 'cluster mark', sql: `${alter} CLUSTER ON ${name}` })
  }
  const identity = indexes.find((index) => index.isReplicaIdentity)
  const subject = 'replica identity'
  if (replicaIdentity === 'index' && identity !== undefined) {
    const name = quoteIdentifier(derivedName(target, identity.name))
    statements.push({ subject, sql: `${alter} REPLICA IDENTITY USING INDEX ${name}` })
  } else if (replicaIdentity === 'full' || replicaIdentity === 'nothing') {
    statements.push({ subject, sql: `${alter} REPLICA IDENTITY ${replicaIdentity.toUpperCase()}` })
  }
  return statements
}
