/** SQL of a partition tree: the bare partitions before the rows, which find their way into them, and the rest of each afterwards. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { ColumnDefinition, Manifest, PartitionDefinition } from '../manifest/index.ts'
import { buildComments, buildOwnership, buildRowSecurity, buildTriggers } from './build-access.ts'
import { buildConstraints, buildIndexes, buildIndexMarks } from './build-constraint.ts'
import { buildColumnAttributes, buildColumns, buildStorage } from './build-table.ts'
import type { NotRebuilt, Rename, RestoreStatement, StandIns } from './model.ts'
import { derivedName } from './names.ts'

type OwnDefinition = NonNullable<PartitionDefinition['definition']>

export interface PartitionsPlan {
  readonly statements: readonly RestoreStatement[]
  readonly notRebuilt: readonly NotRebuilt[]
  readonly renames: readonly Rename[]
}

/** Beside the target, under a name of its own: partitions of one tree may have the same name in different schemas. */
function placeOf(manifest: Manifest, target: RelationName, relation: RelationName): RelationName {
  const { schema, name } = manifest.relation
  if (relation.schema === schema && relation.name === name) return target
  const unique = relation.schema === schema ? relation.name : `${relation.schema}_${relation.name}`
  return { schema: target.schema, name: derivedName(target, unique) }
}

/** The partitioned table and all of its partitions, bare. */
export function buildPartitionTree(manifest: Manifest, target: RelationName): string {
  const { definition } = manifest
  const parent = `CREATE TABLE ${quoteRelation(target)} (${buildColumns(definition).join(', ')}) PARTITION BY ${definition.partitionKey}${buildStorage(definition)}`
  const partitions = definition.partitions.map((partition) => {
    const own = partition.definition
    const unlogged = own?.isUnlogged === true && partition.key === null ? 'UNLOGGED ' : ''
    const table = quoteRelation(placeOf(manifest, target, partition))
    const of = quoteRelation(placeOf(manifest, target, partition.parent))
    const key = partition.key === null ? '' : ` PARTITION BY ${partition.key}`
    const storage = own === undefined ? '' : buildStorage(own)
    return `CREATE ${unlogged}TABLE ${table} PARTITION OF ${of} ${partition.bound ?? 'DEFAULT'}${key}${storage}`
  })
  return [parent, ...partitions].join('; ')
}

/** What each partition has beyond what it gets from its parent. */
export function buildPartitions(manifest: Manifest, target: RelationName, standIns: StandIns): PartitionsPlan {
  const statements: RestoreStatement[] = []
  const notRebuilt: NotRebuilt[] = []
  const renames: Rename[] = []
  const moves: Rename[] = []
  for (const partition of manifest.definition.partitions) {
    const place = placeOf(manifest, target, partition)
    moves.push({ kind: 'table', recovered: place.name, original: partition.name, schema: partition.schema })
    if (partition.definition === undefined) continue
    const of = (subject: string) => `${subject} of partition ${displayRelation(partition)}`
    const built = buildOwn(manifest, partition, partition.definition, place, standIns)
    statements.push(...built.statements.map((statement) => ({ ...statement, subject: of(statement.subject) })))
    notRebuilt.push(...built.notRebuilt.map((one) => ({ ...one, subject: of(one.subject) })))
    renames.push(...built.renames)
  }
  // What belongs to a partition is renamed where it lies, and then goes with it.
  return { statements, notRebuilt, renames: [...renames, ...moves] }
}

function buildOwn(
  manifest: Manifest,
  partition: PartitionDefinition,
  definition: OwnDefinition,
  place: RelationName,
  standIns: StandIns,
): PartitionsPlan {
  const own = ownManifest(manifest, partition, definition)
  const constraints = buildConstraints(place, own, standIns)
  const indexes = buildIndexes(place, own.definition.indexes)
  const triggers = buildTriggers(place, own.definition.triggers)
  const marked = definition.indexes.find(
    ({ isInherited, isReplicaIdentity }) => isInherited === true && isReplicaIdentity,
  )
  return {
    statements: [
      ...differingColumns(manifest, definition, place),
      ...constraints.statements,
      ...indexes.statements,
      ...buildIndexMarks(place, own),
      ...triggers.statements,
      ...buildRowSecurity(place, own.definition),
      ...buildComments(place, own.definition),
      ...buildOwnership(place, own.definition).map((statement) => ({ ...statement, stage: 'access' as const })),
    ],
    notRebuilt: [
      ...constraints.notRebuilt,
      ...indexes.notRebuilt,
      ...triggers.notRebuilt,
      ...(marked === undefined
        ? []
        : [{ subject: 'replica identity', reason: 'its index belongs to that of the parent' }]),
      ...(definition.tablespace === null
        ? []
        : [{ subject: `tablespace ${definition.tablespace}`, reason: 'the default one is used' }]),
      ...[...definition.rules, ...definition.statistics].map(({ name }) => ({
        subject: name,
        reason: 'it names the original partition',
      })),
    ],
    renames: [...constraints.renames, ...indexes.renames],
  }
}

/** The partition as a table of its own, without what comes from its parent. */
function ownManifest(manifest: Manifest, { schema, name }: PartitionDefinition, definition: OwnDefinition): Manifest {
  return {
    ...manifest,
    relation: { schema, name },
    definition: {
      ...manifest.definition,
      ...definition,
      constraints: definition.constraints.filter(({ isInherited, kind }) => !isInherited && kind !== 'not null'),
      indexes: definition.indexes.filter(({ isInherited }) => isInherited !== true),
      triggers: definition.triggers.filter(({ isInherited }) => isInherited !== true),
    },
  }
}

/** Attributes and defaults that are not those of the table above. */
function differingColumns(manifest: Manifest, definition: OwnDefinition, place: RelationName): RestoreStatement[] {
  const above = new Map(manifest.definition.columns.map((column) => [column.name, column]))
  return definition.columns.flatMap((column) => {
    const parent = above.get(column.name)
    return [
      ...(parent !== undefined && attributesOf(parent) === attributesOf(column)
        ? []
        : buildColumnAttributes(place, column)),
      ...buildOwnDefault(place, column, parent),
    ]
  })
}

function attributesOf({ storage, compression, statisticsTarget, options }: ColumnDefinition): string {
  return JSON.stringify([storage, compression, statisticsTarget, options])
}

function buildOwnDefault(
  place: RelationName,
  column: ColumnDefinition,
  parent: ColumnDefinition | undefined,
): RestoreStatement[] {
  const isPlain = column.identity === null && column.generated === null
  if (!isPlain || parent === undefined || column.expression === parent.expression) return []
  const alter = `ALTER TABLE ${quoteRelation(place)} ALTER COLUMN ${quoteIdentifier(column.name)}`
  const change = column.expression === null ? 'DROP DEFAULT' : `SET DEFAULT ${column.expression}`
  return [{ subject: `default of column ${column.name}`, sql: `${alter} ${change}` }]
}
