/**
 * Several writes as one TransactWriteItems, once per token.
 *
 * DynamoDB's own token (ClientRequestToken) covers the attempts of one call: an attempt that follows a lost answer is the
 * same request and returns normally. It cannot stand for the caller's token: the conditions name the present second, so the
 * same writes a second later are another request to DynamoDB, which refuses it. The caller's token is therefore a record of
 * its own inside the transaction, with the digest of the writes, for ten minutes.
 */
import type { DynamoDBClient, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb'
import type { JsonObject } from '#lib/kernel/index.ts'
import { BackstopError, jsonDigest } from '#lib/kernel/index.ts'
import type { RecordWrite } from '#lib/ports/index.ts'
import { cancellationReasons } from './cancellation.ts'
import { recordConflict } from './conflict.ts'
import { encodeKey, isLive } from './item.ts'
import { untilFree } from './patience.ts'
import type { WriteContext } from './write-item.ts'
import { encodeCreate, encodeWriteItem } from './write-item.ts'

const TOKEN_LIFETIME_S = 600

const tokenKey = (token: string) => ({ partition: `~transaction#${token}`, sort: 'token' })

/** Throws RECORD_EXISTS, RECORD_CHANGED, RECORD_INVALID, and what the SDK throws. */
export async function runTransaction(
  client: DynamoDBClient,
  context: WriteContext,
  writes: readonly RecordWrite[],
  token?: string,
): Promise<void> {
  const digest = token === undefined ? undefined : jsonDigest(writes as unknown as JsonObject[])
  const items = writes.map((write) => encodeWriteItem(write, context))
  if (token !== undefined) items.unshift(encodeTokenItem(token, digest as string, context))
  try {
    await send(client, items, context.nonce)
  } catch (error) {
    const reasons = cancellationReasons(error)
    if (token !== undefined && reasons?.[0] === 'condition') {
      return assertSameWrites(client, context, token, digest as string)
    }
    const failed = reasons?.slice(token === undefined ? 0 : 1).indexOf('condition') ?? -1
    const write = writes[failed]
    throw write === undefined ? error : recordConflict(write)
  }
}

async function send(client: DynamoDBClient, items: TransactWriteItem[], requestToken: string): Promise<void> {
  await untilFree(() =>
    client.send(new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: requestToken })),
  )
}

function encodeTokenItem(token: string, writesSha256: string, context: WriteContext): TransactWriteItem {
  const expiresAtS = context.nowS + TOKEN_LIFETIME_S
  return { Put: encodeCreate({ key: tokenKey(token), body: { writesSha256 }, expiresAtS }, context) }
}

/** The token is taken: by these very writes, which have then had their effect, or by others. */
async function assertSameWrites(
  client: DynamoDBClient,
  { table, nowS }: WriteContext,
  token: string,
  digest: string,
): Promise<void> {
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: table, Key: encodeKey(tokenKey(token)), ConsistentRead: true }),
  )
  const kept = item && isLive(item, nowS) ? JSON.parse(item['body']?.S ?? '{}') : undefined
  if (kept?.writesSha256 === digest) return
  throw new BackstopError('RECORD_INVALID', 'the transaction token was used for other writes')
}
