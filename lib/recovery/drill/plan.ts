/** Decides which tables a drill would take, in order, and what of a table it restores into scratch. */
import type { RelationName } from '#lib/kernel/index.ts'
import { displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { ConstraintDefinition, GrantDefinition, Manifest } from '../manifest/index.ts'
import type { Finding } from './model.ts'

/**
 * Drilled longest ago first, never drilled before all; by name where that is equal.
 *
 * Effects: pure
 */
export function orderCandidates(
  tables: readonly RelationName[],
  drilledAt: ReadonlyMap<string, string>,
): readonly RelationName[] {
  const keyOf = (relation: RelationName) =>
    `${drilledAt.get(quoteRelation(relation)) ?? ''} ${displayRelation(relation)}`
  return tables.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

export interface ScratchPlan {
  readonly manifest: Manifest
  readonly leftOut: readonly Finding[]
}

/**
 * The manifest as it is restored into scratch by `role`: what would reach beyond the scratch is left out and named.
 *
 * Effects:    pure
 * Invariants: the rows, and everything that belongs to the table alone, are the manifest's own
 */
export function planScratch(manifest: Manifest, role: string): ScratchPlan {
  const { definition } = manifest
  const isForeign = (constraint: ConstraintDefinition) =>
    constraint.kind === 'foreign key' && quoteOf(constraint.references) !== quoteRelation(manifest.relation)
  const foreign = definition.constraints.filter(isForeign)
  const withoutOwner = (grants: readonly GrantDefinition[]) =>
    grants.filter(({ grantee }) => grantee !== definition.owner && grantee !== role)
  const leftOut: Finding[] = [
    {
      subject: 'write-ahead log',
      reason: 'the scratch table is unlogged, so that standbys and subscribers get nothing of it',
    },
    ...foreign.map(({ name, references }) => ({
      subject: `foreign key ${name}`,
      reason: `it would lock ${references === null ? 'another table' : displayRelation(references)} and put triggers on it`,
    })),
    ...definition.partitions.flatMap(({ name, definition: own }) =>
      (own?.constraints ?? [])
        .filter(({ kind, isInherited }) => kind === 'foreign key' && !isInherited)
        .map((key) => ({
          subject: `foreign key ${key.name} of partition ${name}`,
          reason: 'it would lock another table',
        })),
    ),
    ...(definition.owner === role
      ? []
      : [{ subject: `owner ${definition.owner}`, reason: 'the scratch stays with the role that has to drop it' }]),
  ]
  return {
    manifest: {
      ...manifest,
      definition: {
        ...definition,
        isUnlogged: true,
        owner: role,
        grants: withoutOwner(definition.grants),
        columns: definition.columns.map((column) => ({ ...column, grants: withoutOwner(column.grants) })),
        constraints: definition.constraints.filter((constraint) => !isForeign(constraint)),
        // Nothing is made outside of the scratch: what is missing is named, or stops the drill.
        ...(definition.requires === undefined
          ? {}
          : { requires: definition.requires.map((object) => ({ ...object, create: null, finish: [] })) }),
        partitions: definition.partitions.map(({ definition: own, ...partition }) => ({
          ...partition,
          ...(own === undefined
            ? {}
            : {
                definition: {
                  ...own,
                  isUnlogged: true,
                  owner: role,
                  grants: [],
                  constraints: own.constraints.filter(({ kind }) => kind !== 'foreign key'),
                },
              }),
        })),
      },
    },
    leftOut,
  }
}

function quoteOf(relation: RelationName | null): string | undefined {
  return relation === null ? undefined : quoteRelation(relation)
}
