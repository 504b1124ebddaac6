/** SQL that puts the recovered table in the place of the original, which is gone. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { buildFiring, buildPolicy, buildRule, buildStatistics } from './build-access.ts'
import { buildPublications } from './build-publication.ts'
import type { CopybackSituation } from './copyback-situation.ts'
import type { CopybackPlan } from './model.ts'
import { planRestore } from './plan.ts'

export function replaceTable(manifest: Manifest, situation: CopybackSituation): CopybackPlan {
  const statements = [
    'BEGIN',
    ...makeRoom(manifest, situation),
    ...takePlace(manifest, situation),
    ...missingKeys(manifest, situation),
    ...missingParts(manifest, situation.recoveredParts),
    ...attachToParents(manifest, situation),
    ...incomingKeys(manifest, situation).map(({ sql }) => sql),
    'COMMIT',
  ]
  const room =
    situation.original === null ? [] : ['an empty table took the name of the one that was captured; it makes room']
  return {
    kind: 'replace-missing-table',
    statements,
    notes: [...room, ...replaceNotes(manifest), ...lostKeys(manifest, situation)],
  }
}

/** Another table, without rows and with nothing built on it, took the name. A row that came since stops everything. */
export function canMakeRoom({ original }: CopybackSituation): boolean {
  return original?.isRecreated === true && original.isEmpty && !original.hasDependents
}

export function makeRoom({ relation }: Manifest, { original }: CopybackSituation): string[] {
  if (original === null) return []
  const table = quoteRelation(relation)
  const refuse = quoteLiteral(`${displayRelation(relation)} is not empty any more: plan the way back again`)
  return [
    `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`,
    `DO $backstop$ BEGIN IF EXISTS (SELECT FROM ${table}) THEN RAISE EXCEPTION USING MESSAGE = ${refuse}; END IF; END $backstop$`,
    `DROP TABLE ${table}`,
  ]
}

/** Foreign keys that could not be made while the table that they refer to was gone. */
function missingKeys(manifest: Manifest, { recoveredParts, existingTables }: CopybackSituation): string[] {
  return manifest.definition.constraints.flatMap(({ kind, name, definition, references }) => {
    if (kind !== 'foreign key' || references === null || recoveredParts.includes(`constraint ${name}`)) return []
    return existingTables.includes(quoteRelation(references)) ? [remakeKey(manifest.relation, name, definition)] : []
  })
}

/** Every part of the definition that has a name, as `OriginalState.parts` writes them. */
export function nameParts({ definition }: Manifest): string[] {
  return [
    ...definition.constraints.filter(({ kind }) => kind !== 'not null').map(({ name }) => `constraint ${name}`),
    ...definition.indexes.filter(({ constraint }) => constraint === null).map(({ name }) => `index ${name}`),
    ...definition.triggers.map(({ name }) => `trigger ${name}`),
    ...definition.policies.map(({ name }) => `policy ${name}`),
    ...definition.rules.map(({ name }) => `rule ${name}`),
    ...definition.statistics.map(({ name }) => `statistics ${name}`),
  ]
}

/** Renames of the recovered table and of what belongs to it. */
export function takePlace(manifest: Manifest, situation: CopybackSituation): string[] {
  const { relation } = manifest
  const { recovered, recoveredParts } = situation
  const statements: string[] = []
  if (recovered.name !== relation.name) {
    statements.push(`ALTER TABLE ${quoteRelation(recovered)} RENAME TO ${quoteIdentifier(relation.name)}`)
  }
  const moved = { schema: recovered.schema, name: relation.name }
  for (const { kind, recovered: from, original, schema } of planRestore(manifest, recovered).renames) {
    if (from === original || !recoveredParts.includes(`${kind} ${from}`)) continue
    const place = { schema: schema ?? recovered.schema, name: from }
    if (place.schema !== recovered.schema) {
      const table = quoteRelation({ schema: recovered.schema, name: from })
      statements.push(`ALTER TABLE ${table} SET SCHEMA ${quoteIdentifier(place.schema)}`)
    }
    statements.push(`ALTER ${kind.toUpperCase()} ${quoteRelation(place)} RENAME TO ${quoteIdentifier(original)}`)
  }
  if (recovered.schema !== relation.schema) {
    statements.push(`ALTER TABLE ${quoteRelation(moved)} SET SCHEMA ${quoteIdentifier(relation.schema)}`)
  }
  return statements
}

export function replaceNotes({ definition }: Manifest): string[] {
  const notes = definition.dependents.map(
    (dependent) => `${dependent} was built on the table: create it again if it is gone`,
  )
  if (definition.partitions.length > 0) notes.push('indexes of its partitions have new names')
  return notes
}

function lostKeys({ definition }: Manifest, situation: CopybackSituation): string[] {
  return definition.incomingForeignKeys
    .filter((key) => !situation.existingTables.includes(quoteRelation(key.table)))
    .map((key) => `foreign key ${key.name}: ${displayRelation(key.table)} does not exist`)
}

/** Triggers, policies and the like that are not among `present`, under their own names. */
export function missingParts(manifest: Manifest, present: readonly string[]): string[] {
  const { relation, definition } = manifest
  const lacks = (part: string) => !present.includes(part)
  return [
    ...definition.policies.filter(({ name }) => lacks(`policy ${name}`)).map((policy) => buildPolicy(relation, policy)),
    ...definition.triggers
      .filter(({ name, isInherited }) => isInherited !== true && lacks(`trigger ${name}`))
      .flatMap(({ name, definition: text, firing }) =>
        firing === 'origin' ? [text] : [text, buildFiring(relation, name, firing)],
      ),
    ...definition.rules.filter(({ name }) => lacks(`rule ${name}`)).flatMap((rule) => buildRule(relation, rule)),
    ...definition.statistics.filter(({ name }) => lacks(`statistics ${name}`)).flatMap(buildStatistics),
    ...buildPublications(relation, definition)
      .filter(({ part }) => lacks(part))
      .map(({ sql }) => sql),
  ]
}

/** Places in a hierarchy. */
export function attachToParents(manifest: Manifest, situation: CopybackSituation): string[] {
  const { relation, definition } = manifest
  const table = quoteRelation(relation)
  return definition.parents
    .filter((parent) => situation.existingTables.includes(quoteRelation(parent)))
    .map((parent) =>
      definition.partitionBound === null
        ? `ALTER TABLE ${table} INHERIT ${quoteRelation(parent)}`
        : `ALTER TABLE ${quoteRelation(parent)} ATTACH PARTITION ${table} ${definition.partitionBound}`,
    )
}

export interface KeyStatement {
  /** The table that refers. */
  readonly table: RelationName
  readonly name: string
  readonly sql: string
}

/** Foreign keys of other tables, made anew, so that they point to the table that stands now. */
export function incomingKeys(manifest: Manifest, situation: CopybackSituation): KeyStatement[] {
  return manifest.definition.incomingForeignKeys
    .filter((key) => situation.existingTables.includes(quoteRelation(key.table)))
    .map((key) => ({ table: key.table, name: key.name, sql: remakeKey(key.table, key.name, key.definition) }))
}

/** Rows that refer to what came after the snapshot must not keep the table from coming back: then the key is not proven. */
export function remakeKey(table: RelationName, key: string, definition: string): string {
  const name = quoteIdentifier(key)
  const add = `ALTER TABLE ${quoteRelation(table)} ADD CONSTRAINT ${name} ${definition}`
  const warning = quoteLiteral(
    `foreign key ${key} of ${displayRelation(table)} is not validated: some of its rows refer to nothing`,
  )
  return (
    `ALTER TABLE ${quoteRelation(table)} DROP CONSTRAINT IF EXISTS ${name}; ` +
    `DO $backstop$ BEGIN ${add}; EXCEPTION WHEN foreign_key_violation THEN ${add} NOT VALID; RAISE WARNING USING MESSAGE = ${warning}; END $backstop$`
  )
}
