/** The record store on one DynamoDB table. */
import { randomBytes } from 'node:crypto'
import { DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import type {
  Clock,
  RecordKey,
  RecordPage,
  RecordQuery,
  RecordStore,
  RecordWrite,
  StoredRecord,
} from '#lib/ports/index.ts'
import { assertRecordKey, assertRecordQuery, assertRecordWrite, assertTransaction } from '#lib/ports/index.ts'
import type { AwsClientSettings } from '../client.ts'
import { awsClientConfig } from '../client.ts'
import { mapAwsError } from '../failure.ts'
import { recordConflict } from './conflict.ts'
import { decodeItem, encodeKey, isLive } from './item.ts'
import { readPage } from './page.ts'
import { runMarkedWrite } from './single-write.ts'
import { runTransaction } from './transaction.ts'
import type { WriteContext } from './write-item.ts'

export interface DynamoRecordStoreOptions {
  readonly table: string
  readonly client: AwsClientSettings
  readonly clock: Clock
}

export interface DynamoRecordStore extends RecordStore {
  /** Closes its connections. */
  close(): void
}

/** DynamoDB takes request tokens of at most 36 characters. */
const NONCE_BYTES = 12

/**
 * A store on a table that exists and has the shape of DYNAMO_SCHEMA; nothing is read until it is used.
 *
 * Consistent: `find` and queries by key are strongly consistent reads; the indexes follow within a second or so
 * Retries:    throttles, failures and lost answers within the bounds of `client`; a retried write has its effect once
 */
export function openDynamoRecordStore(options: DynamoRecordStoreOptions): DynamoRecordStore {
  return new DynamoStore(options)
}

class DynamoStore implements DynamoRecordStore {
  readonly #table: string
  readonly #clock: Clock
  readonly #client: DynamoDBClient

  constructor({ table, client, clock }: DynamoRecordStoreOptions) {
    this.#table = table
    this.#clock = clock
    this.#client = new DynamoDBClient(awsClientConfig(client))
  }

  async find(key: RecordKey): Promise<StoredRecord | undefined> {
    assertRecordKey(key)
    return this.#orUnreachable(async () => {
      const { Item: item } = await this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: encodeKey(key), ConsistentRead: true }),
      )
      return item && isLive(item, this.#nowS()) ? decodeItem(item) : undefined
    })
  }

  async query(query: RecordQuery): Promise<RecordPage> {
    assertRecordQuery(query)
    const nowS = this.#nowS()
    return this.#orUnreachable(() =>
      readPage(async (input) => this.#client.send(new QueryCommand(input)), query, { table: this.#table, nowS }),
    )
  }

  async write(write: RecordWrite): Promise<number> {
    assertRecordWrite(write)
    if (write.kind === 'check') return this.#check(write.key, write.expectedVersion)
    const context = this.#newContext()
    return this.#orUnreachable(async () => {
      if (write.kind !== 'delete') return runMarkedWrite(this.#client, context, write)
      await runTransaction(this.#client, context, [write])
      return 0
    })
  }

  async transact(writes: readonly RecordWrite[], token?: string): Promise<void> {
    assertTransaction(writes, token)
    await this.#orUnreachable(() => runTransaction(this.#client, this.#newContext(), writes, token))
  }

  close(): void {
    this.#client.destroy()
  }

  async #check(key: RecordKey, expectedVersion: number): Promise<number> {
    const found = await this.find(key)
    if ((found?.version ?? 0) !== expectedVersion) throw recordConflict({ kind: 'check', key, expectedVersion })
    return expectedVersion
  }

  #newContext(): WriteContext {
    return { table: this.#table, nonce: randomBytes(NONCE_BYTES).toString('base64url'), nowS: this.#nowS() }
  }

  #nowS(): number {
    return Math.floor(this.#clock.nowMs() / 1_000)
  }

  async #orUnreachable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw mapAwsError(error, { code: 'METADATA_UNREACHABLE', resource: `the table "${this.#table}"` })
    }
  }
}
