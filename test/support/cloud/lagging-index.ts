/** A record store whose indexes stand still until they are told to catch up: what DynamoDB's may do for a moment. */
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { Clock, RecordKey, RecordStore, RecordWrite, StoredRecord } from '#lib/ports/index.ts'
import { keyOfWrite } from '#lib/ports/index.ts'

export interface LaggingStore extends RecordStore {
  /** Bring the indexes up to date. */
  catchUp(): Promise<void>
  close(): Promise<void>
}

const nameOf = ({ partition, sort }: RecordKey) => JSON.stringify([partition, sort])

export function openLaggingStore(clock: Clock): LaggingStore {
  const table = openSqliteRecordStore({ path: ':memory:', clock })
  const indexes = openSqliteRecordStore({ path: ':memory:', clock })
  /** As the indexes have them, with the versions of then. */
  const copies = new Map<string, StoredRecord>()
  const behind = new Map<string, RecordKey>()

  const note = (write: RecordWrite) => {
    const key = keyOfWrite(write)
    behind.set(nameOf(key), key)
  }

  async function copy(key: RecordKey): Promise<void> {
    const [now, then] = [await table.find(key), await indexes.find(key)]
    if (then !== undefined) await indexes.write({ kind: 'delete', key, expectedVersion: then.version })
    copies.delete(nameOf(key))
    if (now === undefined) return
    const { version: _, ...record } = now
    await indexes.write({ kind: 'create', record })
    copies.set(nameOf(key), now)
  }

  return {
    find: (key) => table.find(key),
    async query(query) {
      if (query.index === undefined) return table.query(query)
      const page = await indexes.query(query)
      return { ...page, records: page.records.map((record) => copies.get(nameOf(record.key)) as StoredRecord) }
    },
    async write(write) {
      const version = await table.write(write)
      note(write)
      return version
    },
    async transact(writes, token) {
      await table.transact(writes, token)
      for (const write of writes) note(write)
    },
    async catchUp() {
      for (const key of [...behind.values()]) await copy(key)
      behind.clear()
    },
    async close() {
      await table.close()
      await indexes.close()
    },
  }
}
