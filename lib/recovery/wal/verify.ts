/** Proves an archive of WAL: every file reads back, and none is missing between the first and the last. */
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { openWal } from './envelope.ts'
import { hex8, parseWalName, type WalFile } from './name.ts'
import { readSegment } from './page-header.ts'
import { type ArchivedFile, findSystem, listArchive } from './place.ts'
import { type Branch, findGaps, type Gap, parseHistory, type TimelineSummary } from './timeline.ts'

export interface VerifyWalOrder {
  readonly clusterId: string
  /** A segment's name: what lies before it does not count. */
  readonly from?: string | undefined
  /** Look at names alone; each file is then told of as skipped. */
  readonly isQuick?: boolean
  readonly signal?: AbortSignal
  readonly onFile?: (doneCount: number, totalCount: number) => void
}

interface Remark {
  readonly subject: string
  readonly reason: string
}

export interface WalVerification {
  readonly ok: boolean
  /** Files that were read and proven. */
  readonly checked: number
  readonly skipped: readonly Remark[]
  readonly problems: readonly Remark[]
  readonly timelines: readonly TimelineSummary[]
  readonly gaps: readonly Gap[]
}

const DEFAULT_SEGMENT_BYTES = 16 << 20

class Verification {
  checked = 0
  readonly skipped: Remark[] = []
  readonly problems: Remark[] = []
  readonly branches = new Map<number, Branch>()
  segmentBytes = DEFAULT_SEGMENT_BYTES
  systemIdentifier: string | undefined
}

/** Never throws for what is wrong with the archive; throws WAL_INVALID for `from`, STORAGE_UNREACHABLE. */
export async function verifyWal(objects: ObjectStore, order: VerifyWalOrder): Promise<WalVerification> {
  const found = new Verification()
  await readSystem(objects, order.clusterId, found)
  const { files, strangers } = await listArchive(objects, order.clusterId)
  const wanted = files.filter(({ file }) => isFrom(file, order.from, found))
  for (const key of strangers) found.problems.push({ subject: key, reason: 'no file of the archive has such a name' })
  for (const [index, archived] of wanted.entries()) {
    order.signal?.throwIfAborted()
    await verifyFile(objects, archived, order.isQuick === true, found)
    order.onFile?.(index + 1, wanted.length)
  }
  const { timelines, gaps } = findGaps(
    wanted.map(({ file }) => file),
    branchesWithin(found, order),
    found.segmentBytes,
  )
  judgeTimelines(timelines, found)
  for (const gap of gaps) found.problems.push({ subject: gap.first, reason: describeGap(gap) })
  const { checked, skipped, problems } = found
  return { ok: problems.length === 0, checked, skipped, problems, timelines, gaps }
}

async function readSystem(objects: ObjectStore, clusterId: string, found: Verification): Promise<void> {
  try {
    const system = await findSystem(objects, clusterId)
    if (system === undefined) return
    found.segmentBytes = system.segmentBytes
    found.systemIdentifier = system.systemIdentifier
  } catch (error) {
    if (!isBackstopError(error, 'WAL_CORRUPT')) throw error
    found.problems.push({ subject: 'system.json', reason: error.message })
  }
}

/** Files of history always count: they are small, and say how timelines hang together. */
function isFrom(file: WalFile, from: string | undefined, found: Verification): boolean {
  if (from === undefined || file.kind === 'history') return true
  const start = parseWalName(from)
  if (start.kind !== 'segment') throw new BackstopError('WAL_INVALID', 'the verification begins at a segment')
  if (file.name.slice(8, 24) >= start.name.slice(8)) return true
  found.skipped.push({ subject: file.name, reason: `lies before ${from}` })
  return false
}

async function verifyFile(objects: ObjectStore, archived: ArchivedFile, isQuick: boolean, found: Verification) {
  const { file, key } = archived
  // History is read always: without it the timelines cannot be put together.
  if (isQuick && file.kind !== 'history') {
    found.skipped.push({ subject: file.name, reason: 'the content was not read' })
    return
  }
  try {
    const { content } = await openWal(file.name, await objects.read(key))
    verifyContent(file, content, found)
    found.checked++
  } catch (error) {
    if (!isBackstopError(error) || error.kind === 'dependency') throw error
    found.problems.push({ subject: file.name, reason: error.message })
  }
}

function verifyContent(file: WalFile, content: Uint8Array, found: Verification): void {
  if (file.kind === 'segment' || file.kind === 'partial') {
    const { systemIdentifier } = readSegment(file, content)
    if (found.systemIdentifier === undefined || systemIdentifier === found.systemIdentifier) return
    throw new BackstopError('WAL_SYSTEM_MISMATCH', `it is of another system: ${systemIdentifier}`)
  }
  if (file.kind !== 'history') return
  const branch = parseHistory(Buffer.from(content).toString())
  if (branch === undefined) throw new BackstopError('WAL_CORRUPT', 'the history names no parent')
  found.branches.set(file.timeline, branch)
}

/** Where the verification begins later than a timeline did, its beginning is no gap. */
function branchesWithin(found: Verification, { from }: VerifyWalOrder): ReadonlyMap<number, Branch> {
  if (from === undefined) return found.branches
  const start =
    Number.parseInt(from.slice(8, 16), 16) * 2 ** 32 + Number.parseInt(from.slice(16, 24), 16) * found.segmentBytes
  return new Map([...found.branches].filter(([, { lsn }]) => Number(lsn) >= start))
}

function judgeTimelines(timelines: readonly TimelineSummary[], found: Verification): void {
  if (timelines.length === 0) found.problems.push({ subject: 'archive', reason: 'there is no segment in it' })
  for (const { timeline } of timelines) {
    if (timeline > 1 && !found.branches.has(timeline)) {
      found.problems.push({
        subject: `${hex8(timeline)}.history`,
        reason: 'the history of the timeline is not archived',
      })
    }
  }
}

function describeGap({ last, count }: Gap): string {
  return count === 1 ? 'the segment is missing' : `${count} segments are missing, up to ${last}`
}
