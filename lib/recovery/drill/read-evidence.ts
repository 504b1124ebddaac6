/** Reads the evidence of drills back from the object store, each object against its own digest. */
import { isBackstopError, isSameDigest, jsonDigest, type Sha256Hex } from '#lib/kernel/index.ts'
import type { ObjectStore } from '#lib/ports/index.ts'
import { listAll } from '../backup/index.ts'
import { drillEvidenceSchema, type Finding, type StoredDrill } from './model.ts'

const KEY = /^drills\/(\d{4}-\d{2}-\d{2})\/drill_[0-9a-f]{32}\.json$/

export interface EvidenceFilter {
  /** `2027-01-15`: days before it are not read. */
  readonly sinceDay?: string
  /** Newest first; all when absent. */
  readonly limit?: number
}

export interface EvidenceList {
  /** Newest first. */
  readonly drills: readonly StoredDrill[]
  /** Objects that are not what was written. */
  readonly problems: readonly Finding[]
}

/** Throws STORAGE_UNREACHABLE. */
export async function readEvidence(objects: ObjectStore, filter: EvidenceFilter = {}): Promise<EvidenceList> {
  const { sinceDay = '', limit = Number.POSITIVE_INFINITY } = filter
  const byDay = new Map<string, string[]>()
  for await (const { key } of listAll(objects, 'drills/')) {
    const day = KEY.exec(key)?.[1]
    if (day !== undefined && day >= sinceDay) byDay.set(day, [...(byDay.get(day) ?? []), key])
  }
  const drills: StoredDrill[] = []
  const problems: Finding[] = []
  // Within a day the keys are in no order of time: a day is read as a whole.
  for (const [, keys] of [...byDay].toSorted(([left], [right]) => (left < right ? 1 : -1))) {
    if (drills.length >= limit) break
    const ofDay: StoredDrill[] = []
    for (const key of keys) {
      const read = await readOne(objects, key)
      if ('evidence' in read) ofDay.push(read)
      else problems.push(read)
    }
    drills.push(...ofDay.toSorted((left, right) => (left.evidence.startedAt < right.evidence.startedAt ? 1 : -1)))
  }
  return { drills: drills.slice(0, limit), problems }
}

async function readOne(objects: ObjectStore, key: string): Promise<StoredDrill | Finding> {
  try {
    const bytes = await objects.read(key)
    const { evidenceSha256, ...content } = JSON.parse(Buffer.from(bytes).toString())
    if (!isSameDigest(jsonDigest(content), evidenceSha256 as Sha256Hex)) {
      return { subject: key, reason: 'its digest is not that of its content' }
    }
    return { evidence: drillEvidenceSchema.parse(content), sha256: evidenceSha256 as Sha256Hex, key }
  } catch (error) {
    if (isBackstopError(error) && error.code !== 'OBJECT_MISSING') throw error
    return { subject: key, reason: 'it is not the evidence of a drill' }
  }
}
