/** Proves that nothing in the ledger was changed, removed, inserted or reordered, or says what was. */
import type { AuditId, Sha256Hex } from '#lib/kernel/index.ts'
import { epochMsOf, isBackstopError } from '#lib/kernel/index.ts'
import type { Clock, ObjectStore, RecordStore } from '#lib/ports/index.ts'
import type { StoredEntry } from './entry.ts'
import { decodeEntryRecord, entryName, entryText, findEntry, readEvent, SHARDS, unsealedPartition } from './entry.ts'
import { readHead } from './head.ts'
import type { AuditEntry, LedgerHead } from './model.ts'
import { mapInGroups, readPages } from './pages.ts'
import type { Segment } from './segment.ts'
import { NO_SEGMENT, segmentKey, segmentNumberOf } from './segment.ts'
import { findSegment, listSegmentKeys } from './store-segment.ts'
import { walkBack } from './timeline.ts'
import type { LedgerAnchor, LedgerProblem, LedgerProblemCode, VerifyReport } from './verify-report.ts'

export interface VerifyPorts {
  readonly records: RecordStore
  readonly objects: ObjectStore
  readonly clock: Clock
  readonly environment: string
  readonly retentionDays: number
}

/** Reads the whole ledger; writers and sealers may go on meanwhile. Throws STORAGE_UNREACHABLE, METADATA_UNREACHABLE. */
export async function verifyLedger(ports: VerifyPorts, anchors: readonly LedgerAnchor[] = []): Promise<VerifyReport> {
  return await new Verification(ports, anchors).run()
}

class Verification {
  readonly #ports: VerifyPorts
  readonly #anchors: readonly LedgerAnchor[]
  readonly #problems: LedgerProblem[] = []
  readonly #skipped: { subject: string; reason: string }[] = []
  readonly #seen = new Set<string>()
  readonly #open = new Set<AuditId>()
  readonly #orphans = new Set<AuditId>()
  #segments = 0
  #entries = 0
  #copies = 0
  #unsealed = 0

  constructor(ports: VerifyPorts, anchors: readonly LedgerAnchor[]) {
    this.#ports = ports
    this.#anchors = anchors
  }

  async run(): Promise<VerifyReport> {
    const lastListed = await this.#checkListing()
    const { head, version } = await readHead(this.#ports.records)
    this.#checkHead(head, version, lastListed)
    const last = await this.#checkSegments(head, lastListed)
    this.#checkAnchorsBeyond(last)
    await this.#checkUnsealed(last)
    await this.#checkClaims(last)
    await this.#checkOrphans()
    return {
      ok: this.#problems.length === 0,
      checked: {
        segments: this.#segments,
        entries: this.#entries,
        copies: this.#copies,
        unsealed: this.#unsealed,
        open: this.#open.size,
        anchors: this.#anchors.length,
      },
      head,
      problems: this.#problems,
      skipped: this.#skipped,
    }
  }

  #report(code: LedgerProblemCode, subject: string, message: string): void {
    this.#problems.push({ code, subject, message })
  }

  /** The number of the last segment in the folder; everything else in there does not belong. */
  async #checkListing(): Promise<number> {
    let last = 0
    for (const key of await listSegmentKeys(this.#ports.objects)) {
      const number = segmentNumberOf(key)
      if (number === undefined) this.#report('segment-unexpected', key, 'this object is no segment')
      else last = number
    }
    return last
  }

  #checkHead(head: LedgerHead, version: number, lastListed: number): void {
    if (version === 0 && lastListed > 1) this.#report('head-missing', 'head', 'there are segments and no head record')
    else if (lastListed > head.number + 1) {
      this.#report('head-behind', 'head', `the head names segment ${head.number}, the newest is ${lastListed}`)
    }
    if (lastListed === head.number + 1) {
      const reason = 'the head does not name it yet: its own header is not proven, its entries are'
      this.#skipped.push({ subject: `segment ${lastListed}`, reason })
    }
  }

  /** Returns the number of the last segment that was looked for: one may have been sealed since the listing. */
  async #checkSegments(head: LedgerHead, lastListed: number): Promise<number> {
    let previous: Sha256Hex | undefined = NO_SEGMENT
    let entryCount = 0
    for (let number = 1; number <= Math.max(lastListed, head.number); number++) {
      const segment = await this.#readSegment(number)
      if (segment === 'missing') {
        const until = number > lastListed ? head.number : number
        this.#report('segment-missing', `segment ${number}`, `segments ${number} to ${until} are gone`)
        if (number > lastListed) return number - 1
      }
      const read = typeof segment === 'object' ? segment : undefined
      if (read) {
        this.#checkLink(read, number, previous)
        await this.#checkEntries(read, head)
        entryCount += read.entries.length
      }
      this.#checkFixedPoints(number, read?.sha256, head, entryCount)
      previous = read?.sha256
    }
    return Math.max(lastListed, head.number)
  }

  #checkAnchorsBeyond(last: number): void {
    for (const { number } of this.#anchors) {
      if (number > last)
        this.#report('anchor-differs', `segment ${number}`, `the anchor names it, the newest is ${last}`)
    }
  }

  async #readSegment(number: number): Promise<Segment | 'missing' | 'malformed'> {
    try {
      const segment = await findSegment(this.#ports.objects, number)
      if (segment === undefined) return 'missing'
      this.#segments++
      return segment
    } catch (error) {
      if (!isBackstopError(error, 'AUDIT_BROKEN')) throw error
      this.#report('segment-malformed', `segment ${number}`, error.message)
      return 'malformed'
    }
  }

  #checkLink({ header }: Segment, number: number, previous: Sha256Hex | undefined): void {
    const subject = `segment ${number}`
    if (header.number !== number) this.#report('link-broken', subject, `its header says ${header.number}`)
    if (previous === undefined)
      this.#skipped.push({ subject, reason: 'its link leads to a segment that cannot be read' })
    else if (header.previousSha256 !== previous) {
      this.#report('link-broken', subject, `it does not follow segment ${number - 1} as that one is now`)
    }
    if (header.environment !== this.#ports.environment) {
      this.#report('environment-differs', subject, 'it is of another environment')
    }
  }

  /** The head record and the anchors outside each fix one segment, and with it everything before. */
  #checkFixedPoints(number: number, sha256: Sha256Hex | undefined, head: LedgerHead, entryCount: number): void {
    if (number === head.number && sha256 !== undefined) {
      if (sha256 !== head.sha256) this.#report('head-differs', `segment ${number}`, 'the head names another digest')
      else if (entryCount !== head.entryCount) {
        this.#report('head-differs', 'head', `it counts ${head.entryCount} entries, the segments hold ${entryCount}`)
      }
    }
    for (const anchor of this.#anchors) {
      if (anchor.number === number && anchor.sha256 !== sha256) {
        this.#report('anchor-differs', `segment ${number}`, 'the anchor names another digest')
      }
    }
  }

  async #checkEntries(segment: Segment, head: LedgerHead): Promise<void> {
    for (const entry of segment.entries) {
      this.#entries++
      const name = entryName(entry)
      if (this.#seen.has(name)) this.#report('entry-duplicate', `entry ${name}`, 'it is in the ledger twice')
      this.#seen.add(name)
      this.#follow(entry)
      if (entry.environment !== this.#ports.environment) {
        this.#report('environment-differs', `entry ${name}`, 'it is of another environment')
      }
    }
    await this.#checkCopies(segment, head)
  }

  async #checkCopies(segment: Segment, head: LedgerHead): Promise<void> {
    const { number, storeCopiesUntil } = segment.header
    const areKept = () => this.#ports.clock.nowMs() < epochMsOf(storeCopiesUntil)
    if (!areKept()) {
      const reason = 'the record store kept its copies until then'
      this.#skipped.push({ subject: `copies of segment ${number}`, reason: `${reason}: ${storeCopiesUntil}` })
      return
    }
    await mapInGroups(segment.entries, async (entry) => {
      const stored = await findEntry(this.#ports.records, entry)
      if (stored !== undefined || areKept()) this.#checkCopy(entry, stored, number, number <= head.number)
    })
  }

  #checkCopy(entry: AuditEntry, stored: StoredEntry | undefined, number: number, isComplete: boolean): void {
    this.#copies++
    const subject = `entry ${entryName(entry)}`
    if (stored === undefined) this.#report('entry-lost', subject, `segment ${number} has it, the record store does not`)
    else if (entryText(stored.entry) !== entryText(entry)) {
      this.#report('entry-differs', subject, `the record store has it otherwise than segment ${number}`)
    } else if (stored.sealedIn !== number && (isComplete || stored.sealedIn !== undefined)) {
      this.#report('entry-unmarked', subject, `the record store does not say that it is sealed in ${number}`)
    }
  }

  /** A result may come before its intent here: an index that lags can part them over two segments. */
  #follow({ id, kind }: AuditEntry): void {
    if (kind === 'intent') {
      if (!this.#orphans.delete(id)) this.#open.add(id)
    } else if (kind === 'result') {
      if (!this.#open.delete(id)) this.#orphans.add(id)
    }
  }

  /** An intent that was written or sealed while this ran is no loss: look again, by its key. */
  async #checkOrphans(): Promise<void> {
    for (const id of this.#orphans) {
      const intent = await findEntry(this.#ports.records, { id, kind: 'intent' })
      if (intent === undefined) this.#report('result-without-intent', `entry ${id}#result`, 'its intent is nowhere')
    }
  }

  async #checkUnsealed(last: number): Promise<void> {
    for (const shard of SHARDS) {
      const query = { partition: unsealedPartition(shard), index: 'index2' } as const
      for await (const record of readPages(this.#ports.records, query)) {
        const stored = await findEntry(this.#ports.records, decodeEntryRecord(record).entry)
        if (stored === undefined || this.#seen.has(entryName(stored.entry))) continue
        if (stored.sealedIn !== undefined && stored.sealedIn <= last) continue
        this.#seen.add(entryName(stored.entry))
        this.#unsealed++
        this.#follow(stored.entry)
      }
    }
  }

  /** What the record store calls sealed must be in the segment that it names. */
  async #checkClaims(last: number): Promise<void> {
    const laterSegments = new Map<number, boolean>()
    for await (const beginning of walkBack(this.#ports)) {
      for (const { entry, sealedIn } of await readEvent(this.#ports.records, beginning.id)) {
        if (sealedIn === undefined || this.#seen.has(entryName(entry))) continue
        if (sealedIn > last) {
          const exists =
            laterSegments.get(sealedIn) ?? (await this.#ports.objects.find(segmentKey(sealedIn))) !== undefined
          laterSegments.set(sealedIn, exists)
          if (exists) continue
        }
        this.#report('entry-not-sealed', `entry ${entryName(entry)}`, `segment ${sealedIn} should hold it and does not`)
      }
    }
  }
}
