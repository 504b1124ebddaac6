/** Reads how the original table stands beside its recovered copy: what is missing, what differs. */
import type { RelationName } from '#lib/kernel/index.ts'
import { BackstopError, displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Manifest } from '../manifest/index.ts'
import type { CountedRows } from './copyback-count.ts'
import { countRows } from './copyback-count.ts'
import type { StandingTable } from './copyback-standing.ts'
import { findStanding, isThere, readParts, readStanding } from './copyback-standing.ts'

/** The table that the rows are to come back to, as it is now. */
export interface OriginalState extends StandingTable, CountedRows {
  /** Foreign keys of other tables, which stand, that refer to it no more. */
  readonly lostKeys: readonly IncomingKey[]
}

export type IncomingKey = Manifest['definition']['incomingForeignKeys'][number]

export interface CopybackSituation {
  readonly recovered: RelationName
  /** Null when the original is gone. */
  readonly original: OriginalState | null
  /** Names that exist on the recovered table: `policy p`, `trigger t`, `index i`, `constraint c`, `sequence s`, `rule r`. */
  readonly recoveredParts: readonly string[]
  /** Quoted names of the tables in the manifest's relations that exist now. */
  readonly existingTables: readonly string[]
}

/** Throws TABLE_MISSING when there is no recovered table. Reads both tables whole. */
export async function readSituation(
  session: DatabaseSession,
  manifest: Manifest,
  recovered: RelationName,
): Promise<CopybackSituation> {
  if (!(await isThere(session, recovered))) {
    throw new BackstopError('TABLE_MISSING', `there is no recovered table ${displayRelation(recovered)}`)
  }
  const place = await findStanding(session, manifest, recovered)
  return {
    recovered,
    original: place === undefined ? null : await readOriginal(session, manifest, recovered, place),
    recoveredParts: await readParts(session, recovered),
    existingTables: await readExisting(session, manifest),
  }
}

async function readOriginal(
  session: DatabaseSession,
  manifest: Manifest,
  recovered: RelationName,
  place: RelationName,
): Promise<OriginalState> {
  const standing = await readStanding(session, manifest, place)
  const counted = await countRows(session, manifest, recovered, standing)
  return { ...standing, ...counted, lostKeys: await readLostKeys(session, manifest, standing) }
}

async function readLostKeys(session: DatabaseSession, manifest: Manifest, standing: StandingTable) {
  const lost: IncomingKey[] = []
  for (const key of manifest.definition.incomingForeignKeys) {
    const isHeld = standing.incomingKeys.some(
      ({ name, schema, table }) => name === key.name && schema === key.table.schema && table === key.table.name,
    )
    if (!isHeld && (await isThere(session, key.table))) lost.push(key)
  }
  return lost
}

async function readExisting(session: DatabaseSession, manifest: Manifest): Promise<string[]> {
  const { parents, incomingForeignKeys, constraints } = manifest.definition
  const referred = constraints.flatMap(({ references }) => (references === null ? [] : [references]))
  const wanted = [...parents, ...incomingForeignKeys.map((key) => key.table), ...referred]
  const existing = new Set<string>()
  for (const relation of wanted) {
    if (await isThere(session, relation)) existing.add(quoteRelation(relation))
  }
  return [...existing]
}
