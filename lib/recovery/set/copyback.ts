/** Decides the one script that brings all members of a set back to where they belong. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteIdentifier, quoteRelation } from '#lib/kernel/index.ts'
import type { Manifest } from '../manifest/index.ts'
import type { ConflictPolicy, CopybackSituation, KeyStatement, OriginalState } from '../restore/index.ts'
import {
  attachToParents,
  CHECK_AT_ONCE,
  canMakeRoom,
  incomingKeys,
  makeRoom,
  missingParts,
  planRows,
  remakeKey,
  replaceNotes,
  takePlace,
} from '../restore/index.ts'
import type { SetKey, SetManifest } from './model.ts'

export interface SetCopybackMember {
  readonly manifest: Manifest
  readonly situation: CopybackSituation
}

export type MemberAction = 'replace-missing-table' | 'bring-back-rows' | 'nothing-to-do'

export interface SetCopybackPlan {
  readonly kind: 'bring-back' | 'nothing-to-do'
  /** From BEGIN to COMMIT; each can be executed as it stands. Empty when there is nothing to do. */
  readonly statements: readonly string[]
  readonly members: readonly {
    readonly relation: RelationName
    readonly recovered: RelationName
    readonly action: MemberAction
  }[]
  readonly notes: readonly string[]
}

/** Gone, or an empty table took its name and makes room for it. */
type Missing = SetCopybackMember

interface Standing extends SetCopybackMember {
  readonly original: OriginalState
}

/**
 * The way back of a set whose members were recovered together, in the order of the set.
 *
 * Tables that are gone get their places first, with the keys that their recovered forms have among each other. Then rows come
 * back to the tables that stand, each after those that it refers to; keys that form a circle are taken off for that time. Then
 * keys between both kinds, and those of other tables.
 *
 * Effects: pure
 * Throws:  `RESTORE_TARGET_EXISTS` under `fail` when rows differ
 */
export function planSetCopyback(
  set: SetManifest,
  members: readonly SetCopybackMember[],
  conflictPolicy: ConflictPolicy = 'overwrite',
): SetCopybackPlan {
  const isMissing = ({ situation }: SetCopybackMember) => situation.original === null || canMakeRoom(situation)
  const missing: readonly Missing[] = members.filter(isMissing)
  const standing = members.flatMap((member): Standing[] =>
    member.situation.original === null || isMissing(member) ? [] : [{ ...member, original: member.situation.original }],
  )
  if (conflictPolicy === 'fail') refuseDiffering(standing)
  const rows = standing.map((member) => ({
    member,
    steps: planRows(member.manifest, member.situation.recovered, member.original, conflictPolicy),
  }))
  const working = rows.filter(({ steps }) => steps.name.length + steps.work.length > 0)
  const circular = working.length === 0 ? [] : circularKeys(set, standing)
  const keys = distinctKeys([
    ...circular.map((key) => remade(key, members)),
    ...lostKeys(set, standing).map((key) => remade(key, members)),
    ...missing.flatMap((member) => crossingKeys(member, missing, standing)),
    ...missing.flatMap((member) => outsideKeys(member, missing)),
  ])
  const work = [
    ...(missing.length > 0 ? freeNames(standing, missing) : []),
    ...missing.flatMap(({ manifest, situation }) => makeRoom(manifest, situation)),
    ...missing.flatMap(({ manifest, situation }) => takePlace(manifest, situation)),
    ...circular.map((key) => `ALTER TABLE ${quoteRelation(key.table)} DROP CONSTRAINT ${quoteIdentifier(key.name)}`),
    ...working.flatMap(({ steps }) => steps.before),
    ...working.flatMap(({ steps }) => steps.work),
    ...working.flatMap(({ steps }) => steps.after),
    ...missing.flatMap(({ manifest, situation }) => missingParts(manifest, situation.recoveredParts)),
    ...missing.flatMap(({ manifest, situation }) => attachToParents(manifest, withPlaces(situation, missing))),
    ...keys.map(({ sql }) => sql),
  ]
  const names = working.flatMap(({ steps }) => steps.name)
  const isNothing = names.length + work.length === 0
  const actionOf = (member: SetCopybackMember): MemberAction => {
    if (isMissing(member)) return 'replace-missing-table'
    return working.some((one) => one.member.manifest === member.manifest) ? 'bring-back-rows' : 'nothing-to-do'
  }
  return {
    kind: isNothing ? 'nothing-to-do' : 'bring-back',
    statements: isNothing ? [] : ['BEGIN', ...names, ...lock(standing), CHECK_AT_ONCE, ...work, 'COMMIT'],
    members: members.map((member) => ({
      relation: member.manifest.relation,
      recovered: member.situation.recovered,
      action: actionOf(member),
    })),
    notes: [
      ...missing.flatMap(({ manifest }) => named(manifest, replaceNotes(manifest))),
      ...rows.flatMap(({ member, steps }) => named(member.manifest, steps.notes)),
      ...missing.flatMap((member) => keyNotes(member, members)),
      ...leftoverNotes(standing),
    ],
  }
}

function refuseDiffering(standing: readonly Standing[]): void {
  const differing = standing.find(({ original }) => original.differingRows > 0)
  if (differing === undefined) return
  const { original, manifest } = differing
  throw new BackstopError(
    'RESTORE_TARGET_EXISTS',
    `${original.differingRows} rows of ${displayRelation(manifest.relation)} differ from the set`,
  )
}

/** All at once, in one order: nobody sees one table back and the other not. */
function lock(standing: readonly Standing[]): string[] {
  const names = standing.map(({ manifest }) => quoteRelation(manifest.relation)).sort()
  return names.length === 0 ? [] : [`LOCK TABLE ${names.join(', ')} IN ACCESS EXCLUSIVE MODE`]
}

function isAmong(members: readonly SetCopybackMember[], relation: RelationName): boolean {
  return members.some(({ manifest }) => quoteRelation(manifest.relation) === quoteRelation(relation))
}

function foreignKeys({ definition }: Manifest) {
  return definition.constraints.filter(({ kind }) => kind === 'foreign key')
}

/** The recovered form of a table that stands is left behind: it must not hold on to a table that takes its place. */
function freeNames(standing: readonly Standing[], missing: readonly Missing[]): string[] {
  return standing.flatMap(({ manifest, situation }) =>
    foreignKeys(manifest)
      .filter(({ references }) => references !== null && isAmong(missing, references))
      .filter(({ name }) => situation.recoveredParts.includes(`constraint ${name}`))
      .map(({ name }) => `ALTER TABLE ${quoteRelation(situation.recovered)} DROP CONSTRAINT ${quoteIdentifier(name)}`),
  )
}

/** Keys between tables that stand, in a circle: there is no order in which their rows could come back under them. */
function circularKeys(set: SetManifest, standing: readonly Standing[]): readonly SetKey[] {
  const circleOf = (relation: RelationName) =>
    set.circles.findIndex((circle) => circle.some((one) => quoteRelation(one) === quoteRelation(relation)))
  return set.keys.inside.filter((key) => {
    const isLoop = quoteRelation(key.table) === quoteRelation(key.references)
    if (isLoop || circleOf(key.table) < 0 || circleOf(key.table) !== circleOf(key.references)) return false
    return isAmong(standing, key.references) && hasKey(standing, key)
  })
}

/** Keys of tables that stand which went with the table that they refer to. */
function lostKeys(set: SetManifest, standing: readonly Standing[]): readonly SetKey[] {
  return set.keys.inside.filter((key) => isAmong(standing, key.table) && !hasKey(standing, key))
}

function hasKey(standing: readonly Standing[], key: SetKey): boolean {
  return standing.some(
    ({ manifest, original }) =>
      quoteRelation(manifest.relation) === quoteRelation(key.table) &&
      original.parts.includes(`constraint ${key.name}`),
  )
}

function remade(key: SetKey, members: readonly SetCopybackMember[]): KeyStatement {
  const owner = members.find(({ manifest }) => quoteRelation(manifest.relation) === quoteRelation(key.table))
  const constraint = owner === undefined ? undefined : foreignKeys(owner.manifest).find(({ name }) => name === key.name)
  if (constraint === undefined) throw new BackstopError('BUG', `the foreign key ${key.name} is in no manifest`)
  return { table: key.table, name: key.name, sql: remakeKey(key.table, key.name, constraint.definition) }
}

/** Of a table that gets its place back: keys that point to the recovered form of a table that stands, or that it lacks. */
function crossingKeys(
  { manifest, situation }: Missing,
  missing: readonly Missing[],
  standing: readonly Standing[],
): readonly KeyStatement[] {
  const { relation } = manifest
  return foreignKeys(manifest)
    .filter(({ name, references }) => {
      if (references === null) return false
      const isLacking = !situation.recoveredParts.includes(`constraint ${name}`)
      return isAmong(standing, references) || (isLacking && isAmong(missing, references))
    })
    .map(({ name, definition }) => ({ table: relation, name, sql: remakeKey(relation, name, definition) }))
}

/** Keys that other tables had to a table that gets its place back. */
function outsideKeys({ manifest, situation }: Missing, missing: readonly Missing[]): readonly KeyStatement[] {
  return incomingKeys(manifest, situation).filter(({ table }) => !isAmong(missing, table))
}

/** Tables that get their places back exist by the time that others are attached to them. */
function withPlaces(situation: CopybackSituation, missing: readonly Missing[]): CopybackSituation {
  const places = missing.map(({ manifest }) => quoteRelation(manifest.relation))
  return { ...situation, existingTables: [...situation.existingTables, ...places] }
}

function distinctKeys(keys: readonly KeyStatement[]): readonly KeyStatement[] {
  return [...new Map(keys.map((key) => [JSON.stringify([quoteRelation(key.table), key.name]), key])).values()]
}

function named({ relation }: Manifest, notes: readonly string[]): string[] {
  return notes.map((note) => `${displayRelation(relation)}: ${note}`)
}

function keyNotes({ manifest, situation }: Missing, members: readonly SetCopybackMember[]): string[] {
  return manifest.definition.incomingForeignKeys
    .filter(({ table }) => !isAmong(members, table) && !situation.existingTables.includes(quoteRelation(table)))
    .map(({ name, table }) => `foreign key ${name}: ${displayRelation(table)} does not exist`)
}

function leftoverNotes(standing: readonly Standing[]): string[] {
  const names = standing.map(({ situation }) => displayRelation(situation.recovered))
  return names.length === 0 ? [] : [`drop when you have looked: ${names.join(', ')}`]
}
