import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { recordStoreContract } from './record-store.ts'

recordStoreContract('SQLite in memory', async (clock) => {
  const store = openSqliteRecordStore({ path: ':memory:', clock })
  return { store, close: () => store.close() }
})

recordStoreContract('SQLite in a file', async (clock) => {
  const folder = await mkdtemp(join(tmpdir(), 'backstop-records-'))
  const store = openSqliteRecordStore({ path: join(folder, 'metadata.db'), clock })
  return {
    store,
    close: async () => {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
})
