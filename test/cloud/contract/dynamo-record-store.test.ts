import { describe, inject, it } from 'vitest'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import { startDynamoLocal, whyNoDynamoLocal } from '#test/support/cloud/dynamodb-local.ts'
import { recordStoreContract } from '../../contract/record-store.ts'

recordStoreContract('DynamoDB of the local cloud', async (clock) => {
  const store = openDynamoRecordStore({ ...(await createTestTable(accountSettings(inject('cloudEndpoint')))), clock })
  return { store, close: async () => store.close() }
})

const reason = await whyNoDynamoLocal()
if (reason === undefined) {
  recordStoreContract('DynamoDB Local', async (clock) => {
    const local = await startDynamoLocal()
    const store = openDynamoRecordStore({ ...(await createTestTable(accountSettings(local.endpoint))), clock })
    return {
      store,
      close: async () => {
        store.close()
        await local.stop()
      },
    }
  })
} else {
  describe('record store: DynamoDB Local', () => {
    it.skip(`SKIPPED, the reference implementation was not asked: ${reason}`, () => {})
  })
  process.stderr.write(`\nSKIPPED: the record store's contract over DynamoDB Local: ${reason}\n`)
}
