/** Reads what retention decides on: first the points, then what counts on them, so that nothing can come between unseen. */
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { listKeeps } from './keep-record.ts'
import type { RetentionFacts, RetentionPorts, RetentionRequest } from './model.ts'
import { listUsed } from './use-record.ts'

const PAGE_POINTS = 1_000

/** Throws `METADATA_UNREACHABLE`. */
export async function readFacts(
  ports: RetentionPorts,
  request: RetentionRequest,
  nowMs: number,
): Promise<RetentionFacts> {
  const points = await listAll(ports)
  const keeps = await listKeeps(ports.records)
  const idsOf = (kind: 'pin' | 'hold') =>
    new Set<string>(keeps.filter((keep) => keep.kind === kind).map(({ snapshotId }) => snapshotId))
  return {
    points,
    pinned: idsOf('pin'),
    held: idsOf('hold'),
    needed: new Set(await request.findNeeded()),
    inUse: await listUsed(ports.records, nowMs),
    givenUp: new Set(request.givenUp),
  }
}

async function listAll({ catalog }: RetentionPorts): Promise<readonly RecoveryPoint[]> {
  const points: RecoveryPoint[] = []
  let cursor: string | undefined
  do {
    const page = await catalog.list({ limit: PAGE_POINTS, ...(cursor === undefined ? {} : { cursor }) })
    points.push(...page.points)
    cursor = page.cursor
  } while (cursor !== undefined)
  return points
}
