/** Sets as the storage holds them, with what the metadata database knows of each. */
import type { Instant } from '#lib/kernel/index.ts'
import type { Recovery, ScanProblem, SetScan, StoredSet } from '#lib/recovery/index.ts'
import { findPoints } from '../snapshots/index.ts'

export interface FoundSets {
  /** Newest first. */
  readonly sets: readonly StoredSet[]
  readonly problems: readonly ScanProblem[]
}

/** A set is as good as its members: those that are missing, changed or set aside make it invalid. */
export async function findSets(recovery: Recovery): Promise<FoundSets> {
  const [{ sets, problems }, { points }] = await Promise.all([recovery.sets.scan(), findPoints(recovery)])
  const byId = new Map(points.map((point) => [point.snapshotId, point]))
  const judge = async (sealed: SetScan['sets'][number]): Promise<StoredSet> => {
    const known = await recovery.sets.find(sealed.manifest.setId)
    if (known?.status === 'invalid') return known
    const lacking = sealed.manifest.members.find(({ snapshotId, manifestSha256 }) => {
      const point = byId.get(snapshotId)
      return point?.status !== 'valid' || point.manifestSha256 !== manifestSha256
    })
    const { setId, origin, selection, members, capturedAt, source } = sealed.manifest
    const stored = {
      setId,
      origin,
      selection: { kind: selection.kind, group: selection.group },
      members,
      capturedAt: capturedAt as Instant,
      lsn: source.lsn,
      manifestKey: sealed.key,
      manifestSha256: sealed.sha256,
    }
    if (lacking === undefined) return { ...stored, status: 'valid' }
    const { relation, snapshotId } = lacking
    const problem = `snapshot ${snapshotId} of ${relation.schema}.${relation.name} is missing or not valid`
    return { ...stored, status: 'invalid', problem }
  }
  return { sets: await Promise.all(sets.map(judge)), problems }
}
