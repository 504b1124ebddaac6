/** The tables that were there at the last look, one record each: what a restart must not forget. */
import { z } from 'zod'
import { type Instant, isBackstopError } from '#lib/kernel/index.ts'
import { MAX_TRANSACTION_WRITES, type RecordKey, type RecordStore, type RecordWrite } from '#lib/ports/index.ts'
import type { KnownTable } from './table-model.ts'

const PARTITION = 'recovery-tables'
const LOOK_KEY: RecordKey = { partition: 'recovery-watch', sort: 'tables' }
const PAGE_RECORDS = 1_000

const instant = z.string().transform((text) => text as Instant)
const tableSchema = z.object({
  oid: z.number().int(),
  relation: z.object({ schema: z.string(), name: z.string() }),
  holdsRows: z.boolean(),
  firstSeenAt: instant,
})
const lookSchema = z.object({ identity: z.string(), lookedAt: instant })

export interface KnownTables {
  /** Undefined: nobody has looked yet. */
  readonly last?: { readonly identity: string; readonly lookedAt: Instant }
  readonly tables: readonly KnownTable[]
}

const keyOf = (oid: number): RecordKey => ({ partition: PARTITION, sort: String(oid) })

export class TableBook {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  async read(): Promise<KnownTables> {
    const tables: KnownTable[] = []
    let cursor: string | undefined
    do {
      const from = cursor === undefined ? {} : { cursor }
      const page = await this.#records.query({ partition: PARTITION, limit: PAGE_RECORDS, ...from })
      for (const { body } of page.records) {
        const parsed = tableSchema.safeParse(body)
        if (parsed.success) tables.push(parsed.data)
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    const last = lookSchema.safeParse((await this.#records.find(LOOK_KEY))?.body)
    return last.success ? { last: last.data, tables } : { tables }
  }

  /** A table that is there again under its number is written over. */
  async add(tables: readonly KnownTable[]): Promise<void> {
    const writes = tables.map((table): RecordWrite => {
      const body = { ...table, relation: { ...table.relation } }
      return { kind: 'create', record: { key: keyOf(table.oid), body } }
    })
    for (let from = 0; from < writes.length; from += MAX_TRANSACTION_WRITES) {
      const some = writes.slice(from, from + MAX_TRANSACTION_WRITES)
      try {
        await this.#records.transact(some)
      } catch (error) {
        if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
        for (const write of some) await this.#addOne(write)
      }
    }
  }

  async #addOne(write: RecordWrite): Promise<void> {
    try {
      await this.#records.write(write)
    } catch (error) {
      if (!isBackstopError(error, 'RECORD_EXISTS')) throw error
    }
  }

  async rename(table: KnownTable): Promise<void> {
    await this.#replace(keyOf(table.oid), { ...table, relation: { ...table.relation } })
  }

  async remove(oids: readonly number[]): Promise<void> {
    for (const oid of oids) {
      const record = await this.#records.find(keyOf(oid))
      if (record === undefined) continue
      const remove = { kind: 'delete', key: record.key, expectedVersion: record.version } as const
      await this.#records.write(remove).catch(ignoreConflict)
    }
  }

  async noteLook(identity: string, lookedAt: Instant): Promise<void> {
    await this.#replace(LOOK_KEY, { identity, lookedAt })
  }

  /** Two that look at the same time see the same: either's word will do. */
  async #replace(key: RecordKey, body: RecordWriteBody): Promise<void> {
    const current = await this.#records.find(key)
    const record = { key, body }
    const write: RecordWrite =
      current === undefined ? { kind: 'create', record } : { kind: 'replace', record, expectedVersion: current.version }
    await this.#records.write(write).catch(ignoreConflict)
  }
}

type RecordWriteBody = Extract<RecordWrite, { kind: 'create' }>['record']['body']

function ignoreConflict(error: unknown): number {
  if (isBackstopError(error, 'RECORD_CHANGED') || isBackstopError(error, 'RECORD_EXISTS')) return 0
  throw error
}
