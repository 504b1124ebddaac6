/** SQL that puts the recovered table in the place of the original, which is gone. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { Manifest } from '../manifest/index.ts'
import { buildFiring, buildPolicy } from './build-access.ts'
import type { CopybackSituation } from './copyback-situation.ts'
import type { CopybackPlan } from './model.ts'
import { planRestore } from './plan.ts'

export function replaceTable(manifest: Manifest, situation: CopybackSituation): CopybackPlan {
  const { relation, definition } = manifest
  const { recovered, recoveredParts } = situation
  const statements = ['BEGIN']
  if (recovered.name !== relation.name) {
    statements.push(`ALTER TABLE ${quoteRelation(recovered)} RENAME TO ${quoteIdentifier(relation.name)}`)
  }
  const moved = { schema: recovered.schema, name: relation.name }
  for (const { kind, recovered: from, original } of planRestore(manifest, recovered).renames) {
    if (from === original || !recoveredParts.includes(`${kind} ${from}`)) continue
    const object = quoteRelation({ schema: recovered.schema, name: from })
    statements.push(`ALTER ${kind.toUpperCase()} ${object} RENAME TO ${quoteIdentifier(original)}`)
  }
  if (recovered.schema !== relation.schema) {
    statements.push(`ALTER TABLE ${quoteRelation(moved)} SET SCHEMA ${quoteIdentifier(relation.schema)}`)
  }
  statements.push(...missingParts(manifest, recoveredParts), ...attachments(manifest, situation), 'COMMIT')
  const notes = definition.dependents.map(
    (dependent) => `${dependent} was built on the table: create it again if it is gone`,
  )
  if (definition.partitionKey !== null)
    notes.push(`the table was partitioned by ${definition.partitionKey} and comes back as one table`)
  for (const key of definition.incomingForeignKeys) {
    if (situation.existingTables.includes(quoteRelation(key.table))) continue
    notes.push(`foreign key ${key.name}: ${displayRelation(key.table)} does not exist`)
  }
  return { kind: 'replace-missing-table', statements, notes }
}

/** Triggers, policies and the like that are not among `present`, under their own names. */
export function missingParts(manifest: Manifest, present: readonly string[]): string[] {
  const { relation, definition } = manifest
  const lacks = (part: string) => !present.includes(part)
  return [
    ...definition.policies.filter(({ name }) => lacks(`policy ${name}`)).map((policy) => buildPolicy(relation, policy)),
    ...definition.triggers
      .filter(({ name }) => lacks(`trigger ${name}`))
      .flatMap(({ name, definition: text, firing }) =>
        firing === 'origin' ? [text] : [text, buildFiring(relation, name, firing)],
      ),
    ...definition.rules.filter(({ name }) => lacks(`rule ${name}`)).map((rule) => withoutSemicolon(rule.definition)),
    ...definition.statistics
      .filter(({ name }) => lacks(`statistics ${name}`))
      .map((statistics) => withoutSemicolon(statistics.definition)),
  ]
}

/** Places in a hierarchy, and foreign keys of other tables. */
function attachments(manifest: Manifest, situation: CopybackSituation): string[] {
  const { relation, definition } = manifest
  const table = quoteRelation(relation)
  const isThere = (other: RelationName) => situation.existingTables.includes(quoteRelation(other))
  const parents = definition.parents
    .filter(isThere)
    .map((parent) =>
      definition.partitionBound === null
        ? `ALTER TABLE ${table} INHERIT ${quoteRelation(parent)}`
        : `ALTER TABLE ${quoteRelation(parent)} ATTACH PARTITION ${table} ${definition.partitionBound}`,
    )
  const keys = definition.incomingForeignKeys
    .filter((key) => isThere(key.table))
    .map((key) => {
      const other = quoteRelation(key.table)
      const name = quoteIdentifier(key.name)
      return `ALTER TABLE ${other} DROP CONSTRAINT IF EXISTS ${name}, ADD CONSTRAINT ${name} ${key.definition}`
    })
  return [...parents, ...keys]
}

function withoutSemicolon(sql: string): string {
  return sql.trim().replace(/;$/, '')
}
