/** Tables for tests: shaped as the deployed one, in an account that no other test uses. */
import { randomInt, randomUUID } from 'node:crypto'
import {
  CreateTableCommand,
  DynamoDBClient,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import type { AwsClientSettings } from '#lib/adapters/aws/index.ts'
import { awsClientConfig, DYNAMO_SCHEMA } from '#lib/adapters/aws/index.ts'

/** The 12 digits of the access key choose an account of the local cloud. */
export function accountSettings(endpoint: string): AwsClientSettings {
  const account = String(randomInt(100_000_000_000, 999_999_999_999))
  return {
    region: 'eu-central-1',
    endpoint,
    credentials: { accessKeyId: account, secretAccessKey: 'test' },
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  }
}

export interface TestTable {
  readonly table: string
  readonly client: AwsClientSettings
}

const string = (name: string) => ({ AttributeName: name, AttributeType: 'S' as const })
const keySchema = ({ partitionKey, sortKey }: { partitionKey: string; sortKey: string }) => [
  { AttributeName: partitionKey, KeyType: 'HASH' as const },
  { AttributeName: sortKey, KeyType: 'RANGE' as const },
]

export async function createTestTable(client: AwsClientSettings): Promise<TestTable> {
  const table = `records-${randomUUID()}`
  const { indexes } = DYNAMO_SCHEMA
  const dynamo = new DynamoDBClient(awsClientConfig(client))
  await dynamo.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [DYNAMO_SCHEMA, indexes.index1, indexes.index2].flatMap(({ partitionKey, sortKey }) => [
        string(partitionKey),
        string(sortKey),
      ]),
      KeySchema: keySchema(DYNAMO_SCHEMA),
      GlobalSecondaryIndexes: (['index1', 'index2'] as const).map((IndexName) => ({
        IndexName,
        KeySchema: keySchema(indexes[IndexName]),
        Projection: { ProjectionType: 'ALL' },
      })),
    }),
  )
  await waitUntilTableExists({ client: dynamo, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { TableName: table })
  await dynamo.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { Enabled: true, AttributeName: DYNAMO_SCHEMA.expiryAttribute },
    }),
  )
  dynamo.destroy()
  return { table, client }
}
