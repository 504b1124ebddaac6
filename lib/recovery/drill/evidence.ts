/** Keeps the evidence of drills: as an object that is never overwritten, and as a record that is easy to list. */
import { z } from 'zod'
import type { RelationName, Sha256Hex } from '#lib/kernel/index.ts'
import {
  BackstopError,
  canonicalJson,
  isBackstopError,
  jsonDigest,
  quoteRelation,
  retryConflicts,
} from '#lib/kernel/index.ts'
import type { ObjectStore, RecordStore, StoredRecord } from '#lib/ports/index.ts'
import { encodeSegment } from '../manifest/index.ts'
import type { DrillEvidence, DrillFilter, DrillPage, StoredDrill } from './model.ts'
import { drillEvidenceSchema } from './model.ts'

const PARTITION = 'recovery-drill'
const TABLE_PARTITION = 'recovery-drill-table'
const PAGE_RECORDS = 100
const DAY_CHARACTERS = 10

export interface EvidencePorts {
  readonly objects: ObjectStore
  readonly records: RecordStore
}

/** `drills/2027-01-15/drill_….json`. */
function evidenceKey(evidence: DrillEvidence): string {
  return `drills/${evidence.startedAt.slice(0, DAY_CHARACTERS)}/${evidence.drillId}.json`
}

/**
 * Store the evidence. An object store that will not take it makes the drill a failed one: proof that nobody can read is none.
 *
 * Throws: METADATA_UNREACHABLE
 */
export async function storeEvidence(ports: EvidencePorts, evidence: DrillEvidence): Promise<StoredDrill> {
  const stored = await putObject(ports.objects, evidence)
  const { drillId, startedAt, relation } = stored.evidence
  const key = { partition: PARTITION, sort: `${startedAt}#${drillId}` }
  await ports.records.write({ kind: 'create', record: { key, body: { ...stored } } })
  if (relation !== null) await noteDrilled(ports.records, relation, startedAt)
  return stored
}

async function putObject(objects: ObjectStore, evidence: DrillEvidence): Promise<StoredDrill> {
  const key = evidenceKey(evidence)
  const sha256 = jsonDigest(evidence)
  try {
    const bytes = Buffer.from(canonicalJson({ ...evidence, evidenceSha256: sha256 }))
    await objects.put(key, bytes, { ifAbsent: true })
    return { evidence, sha256, key }
  } catch (error) {
    if (!isBackstopError(error)) throw error
    const failure = evidence.failure ?? {
      code: error.code,
      reason: `the evidence could not be stored: ${error.message}`,
    }
    const failed: DrillEvidence = { ...evidence, result: 'failed', failure }
    return { evidence: failed, sha256: jsonDigest(failed), key: null }
  }
}

async function noteDrilled(records: RecordStore, relation: RelationName, drilledAt: string): Promise<void> {
  const key = {
    partition: TABLE_PARTITION,
    sort: `${encodeSegment(relation.schema)}/${encodeSegment(relation.name)}`,
  }
  await retryConflicts(async () => {
    const current = await records.find(key)
    const record = { key, body: { relation: { ...relation }, drilledAt } }
    if (current === undefined) await records.write({ kind: 'create', record })
    else await records.write({ kind: 'replace', record, expectedVersion: current.version })
  })
}

const drilledSchema = z.object({
  relation: z.object({ schema: z.string(), name: z.string() }),
  drilledAt: z.string(),
})

/** When each table was drilled last, by quoted name. */
export async function readDrilled(records: RecordStore): Promise<ReadonlyMap<string, string>> {
  const drilled = new Map<string, string>()
  let cursor: string | undefined
  do {
    const page = await records.query({ partition: TABLE_PARTITION, ...(cursor === undefined ? {} : { cursor }) })
    for (const record of page.records) {
      const read = drilledSchema.safeParse(record.body)
      if (read.success) drilled.set(quoteRelation(read.data.relation), read.data.drilledAt)
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return drilled
}

export async function listDrills(records: RecordStore, filter: DrillFilter): Promise<DrillPage> {
  const page = await records.query({
    partition: PARTITION,
    descending: true,
    limit: filter.limit ?? PAGE_RECORDS,
    ...(filter.cursor === undefined ? {} : { cursor: filter.cursor }),
  })
  const drills = page.records.map(decodeDrill)
  return page.cursor === undefined ? { drills } : { drills, cursor: page.cursor }
}

const storedSchema = z.object({
  evidence: drillEvidenceSchema,
  sha256: z.string().transform((text) => text as Sha256Hex),
  key: z.string().nullable(),
})

function decodeDrill(record: StoredRecord): StoredDrill {
  const read = storedSchema.safeParse(record.body)
  if (read.success) return read.data
  throw new BackstopError('RECORD_INVALID', `the record ${record.key.sort} is not the evidence of a drill`)
}
