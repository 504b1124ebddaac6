/** What must hold after each fault: nothing invalid is offered, nothing valid is lost, it was told once, and the next round heals. */
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import type { Recovery } from '#lib/recovery/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'

/** A point that was whole, and what it has to bring back. */
export interface KnownPoint {
  readonly point: RecoveryPoint
  readonly content: string
}

type Looked = { readonly recovery: Recovery; readonly db: TestDatabase }

export async function contentOf(db: TestDatabase, relation: RelationName): Promise<string> {
  const [row] = await db.run(
    `SELECT coalesce(md5(string_agg(md5(t::text), '' ORDER BY t::text)), 'empty') || ' ' || count(*) AS content FROM ${quoteRelation(relation)} t`,
  )
  return String(row?.['content'])
}

/** Every page of the catalog. */
export async function listAll(recovery: Recovery): Promise<readonly RecoveryPoint[]> {
  const points: RecoveryPoint[] = []
  let cursor: string | undefined
  do {
    const page = await recovery.list(cursor === undefined ? { limit: 200 } : { limit: 200, cursor })
    points.push(...page.points)
    cursor = page.cursor
  } while (cursor !== undefined)
  return points
}

/** Each point that is offered, read from end to end; and the list that needs no metadata says the same. */
export async function invalidOffers({ recovery }: Looked): Promise<string[]> {
  const problems: string[] = []
  const valid = (await listAll(recovery)).filter(({ status }) => status === 'valid')
  for (const { snapshotId, relation } of valid) {
    await recovery.restore({ snapshotId, isDryRun: true }).catch((error: Error) => {
      problems.push(`${snapshotId} of ${displayRelation(relation)} is offered and cannot be restored: ${error.message}`)
    })
  }
  const scanned = new Set((await recovery.scan()).points.map(({ snapshotId }) => snapshotId))
  for (const { snapshotId } of valid) {
    if (!scanned.has(snapshotId)) problems.push(`${snapshotId} is in the catalog, and a scan of the storage has it not`)
  }
  const known = new Map((await listAll(recovery)).map(({ snapshotId, status }) => [snapshotId, status]))
  for (const snapshotId of scanned) {
    if (!known.has(snapshotId)) problems.push(`${snapshotId} is in the storage, and the catalog has it not`)
  }
  return problems
}

let proofs = 0

/** Each of these points is restored for real, and its content compared. */
export async function lostPoints({ recovery, db }: Looked, known: readonly KnownPoint[]): Promise<string[]> {
  const problems: string[] = []
  for (const { point, content } of known) {
    proofs += 1
    const target = { schema: point.relation.schema, name: `proof_${proofs}` }
    try {
      await recovery.restore({ snapshotId: point.snapshotId, target })
      const found = await contentOf(db, target)
      if (found !== content) problems.push(`${point.snapshotId} brings back ${found} instead of ${content}`)
    } catch (error) {
      problems.push(`${point.snapshotId} cannot be restored any more: ${(error as Error).message}`)
    } finally {
      await db.run(`DROP TABLE IF EXISTS ${quoteRelation(target)}`)
    }
  }
  return problems
}

export async function knownPoint({ recovery, db }: Looked, relation: RelationName): Promise<KnownPoint> {
  const content = await contentOf(db, relation)
  return { point: await recovery.capture(relation, 'manual'), content }
}

/** The newest valid point is younger than all of these, and restores as the table is now. */
export async function unhealed(
  looked: Looked,
  relation: RelationName,
  before: readonly SnapshotId[],
): Promise<string[]> {
  const newest = (await looked.recovery.scan(relation)).points.find(({ snapshotId }) => !before.includes(snapshotId))
  if (newest === undefined) return [`no new point of ${displayRelation(relation)}`]
  return await lostPoints(looked, [{ point: newest, content: await contentOf(looked.db, relation) }])
}
