/** What lasts, as one record for each: whoever makes it tells the beginning, whoever takes it away tells the end. */
import { type AlertId, type Instant, isBackstopError, type JsonObject, sha256Hex } from '#lib/kernel/index.ts'
import type { RecordKey, RecordStore } from '#lib/ports/index.ts'
import type { StandingInput } from './model.ts'

export interface Standing {
  readonly input: StandingInput
  readonly alertId: AlertId
  readonly since: Instant
}

const partitionOf = (family: string): string => `alert-standing#${family}`

export class StandingBook {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  /** False when it stands already. */
  async open(family: string, standing: Standing): Promise<boolean> {
    const body = { ...standing, input: { ...standing.input } } as unknown as JsonObject
    const record = { key: keyOf(family, standing.input.dedupeKey), body }
    return await isFirst(() => this.#records.write({ kind: 'create', record }), 'RECORD_EXISTS')
  }

  /** Undefined when it does not stand, or somebody else has closed it just now. */
  async close(family: string, dedupeKey: string): Promise<Standing | undefined> {
    const key = keyOf(family, dedupeKey)
    const record = await this.#records.find(key)
    if (record === undefined) return undefined
    const remove = () => this.#records.write({ kind: 'delete', key, expectedVersion: record.version })
    return (await isFirst(remove, 'RECORD_CHANGED')) ? (record.body as unknown as Standing) : undefined
  }

  async list(family: string): Promise<readonly Standing[]> {
    const found: Standing[] = []
    let cursor: string | undefined
    do {
      const from = cursor === undefined ? {} : { cursor }
      const page = await this.#records.query({ partition: partitionOf(family), limit: 1_000, ...from })
      found.push(...page.records.map(({ body }) => body as unknown as Standing))
      cursor = page.cursor
    } while (cursor !== undefined)
    return found
  }
}

/** A key holds names of tables, which may be longer than a record's key. */
function keyOf(family: string, dedupeKey: string): RecordKey {
  return { partition: partitionOf(family), sort: sha256Hex(dedupeKey).slice(0, 32) }
}

async function isFirst(write: () => Promise<unknown>, conflict: 'RECORD_EXISTS' | 'RECORD_CHANGED'): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (isBackstopError(error, conflict)) return false
    throw error
  }
}
