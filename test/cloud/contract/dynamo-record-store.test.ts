import { inject } from 'vitest'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import { recordStoreContract } from '../../contract/record-store.ts'

recordStoreContract('DynamoDB of the local cloud', async (clock) => {
  const store = openDynamoRecordStore({ ...(await createTestTable(accountSettings(inject('cloudEndpoint')))), clock })
  return { store, close: async () => store.close() }
})
