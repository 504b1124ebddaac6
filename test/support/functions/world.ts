/** Everything that the functions need, in an account of the local cloud that no other test uses, and a database. */
import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { SqsBatchEvent } from '#lib/adapters/aws/index.ts'
import { awsClientConfig } from '#lib/adapters/aws/index.ts'
import { accountSettings, createTestTable } from '#test/support/cloud/dynamo.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { TOKEN_FILE } from '#test/support/product.ts'

export type QueueKind = 'run' | 'capture' | 'part' | 'alert'

export interface FunctionWorld {
  readonly db: TestDatabase
  /** The variables of the functions; they are in `process.env` already. */
  readonly environment: Readonly<Record<string, string>>
  putPolicy(text: string): Promise<void>
  setTokens(text: string): Promise<void>
  setDatabaseSecret(username: string, password: string): Promise<void>
  /** What lies in a queue, as the platform would hand it over; taken out of the queue unless it is to stay. */
  receive(kind: QueueKind): Promise<SqsBatchEvent>
  close(): Promise<void>
}

async function makeQueue(sqs: SQSClient, kind: string): Promise<string> {
  const attributes = { FifoQueue: 'true', VisibilityTimeout: '60' }
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: `${kind}-${randomUUID()}.fifo`, Attributes: attributes }),
  )
  return QueueUrl as string
}

async function receiveAll(sqs: SQSClient, QueueUrl: string): Promise<SqsBatchEvent> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'] }),
  )
  const arn = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
  for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
  return {
    Records: Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }) => ({
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes,
      eventSourceARN: arn.Attributes?.['QueueArn'] ?? '',
    })),
  }
}

export async function openFunctionWorld(endpoint: string, seedSql?: string): Promise<FunctionWorld> {
  const aws = accountSettings(endpoint)
  const config = awsClientConfig(aws)
  const [s3, sqs, secrets] = [
    new S3Client({ ...config, forcePathStyle: true }),
    new SQSClient(config),
    new SecretsManagerClient(config),
  ]
  const db = await createTestDatabase(seedSql)
  const { table } = await createTestTable(aws)
  const buckets = ['snapshots', 'audit', 'config'].map((name) => `${name}-${randomUUID()}`)
  for (const Bucket of buckets) await s3.send(new CreateBucketCommand({ Bucket }))
  const kinds = ['run', 'capture', 'part', 'alert'] as const
  const urls = await Promise.all(kinds.map((kind) => makeQueue(sqs, kind)))
  const queues = Object.fromEntries(kinds.map((kind, index) => [kind, urls[index]])) as Record<QueueKind, string>
  const url = new URL(db.url)
  const [tokensName, databaseName] = [`tokens-${randomUUID()}`, `database-${randomUUID()}`]
  const login = (username: string, password: string) => JSON.stringify({ username, password })
  await secrets.send(new CreateSecretCommand({ Name: tokensName, SecretString: TOKEN_FILE }))
  await secrets.send(
    new CreateSecretCommand({
      Name: databaseName,
      SecretString: login(decodeURIComponent(url.username), decodeURIComponent(url.password) || 'none'),
    }),
  )
  const environment: Record<string, string> = {
    AWS_REGION: aws.region,
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: aws.credentials?.accessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: aws.credentials?.secretAccessKey ?? '',
    BACKSTOP_ENVIRONMENT: 'test',
    BACKSTOP_CLUSTER_ID: 'cluster',
    BACKSTOP_TABLE: table,
    BACKSTOP_SNAPSHOT_BUCKET: buckets[0] as string,
    BACKSTOP_AUDIT_BUCKET: buckets[1] as string,
    BACKSTOP_CONFIG_BUCKET: buckets[2] as string,
    BACKSTOP_TOKENS_SECRET: tokensName,
    BACKSTOP_TOKEN_CACHE_SECONDS: '1',
    BACKSTOP_RUN_QUEUE_URL: queues.run,
    BACKSTOP_CAPTURE_QUEUE_URL: queues.capture,
    BACKSTOP_PART_QUEUE_URL: queues.part,
    BACKSTOP_ALERT_QUEUE_URL: queues.alert,
    BACKSTOP_DB_HOST: url.hostname,
    BACKSTOP_DB_PORT: url.port,
    BACKSTOP_DB_NAME: db.name,
    BACKSTOP_DB_AUTH: 'secret',
    BACKSTOP_DB_SECRET: databaseName,
    BACKSTOP_DB_TLS: 'disable',
  }
  Object.assign(process.env, environment)
  return {
    db,
    environment,
    putPolicy: async (Body) => {
      await s3.send(new PutObjectCommand({ Bucket: buckets[2], Key: 'policy.json', Body }))
    },
    setTokens: async (SecretString) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: tokensName, SecretString }))
    },
    setDatabaseSecret: async (username, password) => {
      await secrets.send(new PutSecretValueCommand({ SecretId: databaseName, SecretString: login(username, password) }))
    },
    receive: (kind) => receiveAll(sqs, queues[kind]),
    async close() {
      for (const client of [s3, sqs, secrets]) client.destroy()
      await db.drop()
    },
  }
}
