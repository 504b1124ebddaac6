/** Timelines: what a history file says, and where the row of segments has gaps. Pure. */
import { parseLsn, segmentName, segmentNumber, segmentOfLsn, type WalFile } from './name.ts'

export interface Branch {
  readonly parent: number
  /** Where the parent was left. */
  readonly lsn: bigint
}

/** The last line names the direct parent. Undefined when there is none that can be read. */
export function parseHistory(text: string): Branch | undefined {
  const lines = text.split('\n').map((line) => line.trim())
  const last = lines.filter((line) => line !== '' && !line.startsWith('#')).at(-1)
  const match = /^(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(last ?? '')
  return match ? { parent: Number(match[1]), lsn: parseLsn(match[2] ?? '') } : undefined
}

export interface Gap {
  readonly timeline: number
  readonly first: string
  readonly last: string
  readonly count: number
}

export interface TimelineSummary {
  readonly timeline: number
  readonly first: string
  readonly last: string
  readonly segmentCount: number
  /** Undefined for the first timeline, and where its history is not archived. */
  readonly branch: Branch | undefined
}

export interface Continuity {
  readonly timelines: readonly TimelineSummary[]
  readonly gaps: readonly Gap[]
}

/** `files` are those that count; `branches` say where each timeline began. */
export function findGaps(
  files: readonly WalFile[],
  branches: ReadonlyMap<number, Branch>,
  segmentBytes: number,
): Continuity {
  const numbers = numbersByTimeline(files, segmentBytes)
  const timelines: TimelineSummary[] = []
  const gaps: Gap[] = []
  for (const [timeline, sorted] of numbers) {
    const branch = branches.get(timeline)
    const add = (from: number, to: number, of = timeline) => gaps.push(gapOf(of, from, to, segmentBytes))
    const [first = 0, last = first] = [sorted[0], sorted.at(-1)]
    sorted.forEach((number, index) => {
      const next = sorted[index + 1]
      if (next !== undefined && next > number + 1) add(number + 1, next - 1)
    })
    if (branch !== undefined) {
      const begin = segmentOfLsn(branch.lsn, segmentBytes)
      if (first > begin) add(begin, first - 1)
      const parentLast = numbers.get(branch.parent)?.at(-1)
      if (parentLast !== undefined && parentLast < begin - 1) add(parentLast + 1, begin - 1, branch.parent)
    }
    const name = (number: number) => segmentName(timeline, number, segmentBytes)
    timelines.push({ timeline, first: name(first), last: name(last), segmentCount: sorted.length, branch })
  }
  return { timelines, gaps }
}

function gapOf(timeline: number, from: number, to: number, segmentBytes: number): Gap {
  const name = (number: number) => segmentName(timeline, number, segmentBytes)
  return { timeline, first: name(from), last: name(to), count: to - from + 1 }
}

function numbersByTimeline(files: readonly WalFile[], segmentBytes: number): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>()
  for (const file of files) {
    // A partial one is no substitute: its end is not known.
    if (file.kind !== 'segment') continue
    const numbers = found.get(file.timeline) ?? []
    numbers.push(segmentNumber(file, segmentBytes))
    found.set(file.timeline, numbers)
  }
  for (const numbers of found.values()) numbers.sort((left, right) => left - right)
  return new Map([...found].sort(([left], [right]) => left - right))
}
