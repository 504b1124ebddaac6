/**
 * One write alone, exactly once however often it is sent.
 *
 * A create or a replacement is one conditional PutItem or UpdateItem. When its condition fails after an attempt whose answer
 * was lost, the item's marks tell whose write it met (settle.ts). A delete leaves no item to carry a mark, so it runs as a
 * transaction of one, which DynamoDB itself makes idempotent, for twice the price; nothing deletes often.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { GetItemCommand, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { BackstopError } from '#lib/kernel/index.ts'
import type { RecordWrite } from '#lib/ports/index.ts'
import { classifyAwsError } from '../failure.ts'
import { recordConflict } from './conflict.ts'
import type { Item } from './item.ts'
import { encodeKey } from './item.ts'
import type { Trace } from './patience.ts'
import { traced, untilFree } from './patience.ts'
import { settleConflict } from './settle.ts'
import type { WriteContext } from './write-item.ts'
import { encodeCreate, encodeReplace } from './write-item.ts'

type MarkedWrite = Extract<RecordWrite, { readonly kind: 'create' | 'replace' }>

/** The new version. Throws RECORD_EXISTS, RECORD_CHANGED, METADATA_UNREACHABLE, and what the SDK throws. */
export async function runMarkedWrite(
  client: DynamoDBClient,
  context: WriteContext,
  write: MarkedWrite,
): Promise<number> {
  const newVersion = write.kind === 'create' ? 1 : write.expectedVersion + 1
  const trace = { isOutcomeUnknown: false }
  try {
    await untilFree(() => send(client, context, write, trace))
    return newVersion
  } catch (error) {
    if (classifyAwsError(error).kind !== 'conditional') throw error
  }
  if (!trace.isOutcomeUnknown) throw recordConflict(write)
  const settled = settleConflict(write, context.nonce, await readMarks(client, context.table, write))
  if (settled === 'applied') return newVersion
  throw settled === 'conflict' ? recordConflict(write) : unknownOutcome(context.table)
}

async function send(client: DynamoDBClient, context: WriteContext, write: MarkedWrite, trace: Trace): Promise<void> {
  if (write.kind === 'create') await client.send(traced(new PutItemCommand(encodeCreate(write.record, context)), trace))
  else {
    const input = encodeReplace(write.record, write.expectedVersion, context)
    await client.send(traced(new UpdateItemCommand(input), trace))
  }
}

async function readMarks(client: DynamoDBClient, table: string, write: MarkedWrite): Promise<Item | undefined> {
  const { Item: item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: encodeKey(write.record.key),
      ConsistentRead: true,
      ProjectionExpression: '#version, nonce, born',
      ExpressionAttributeNames: { '#version': 'version' },
    }),
  )
  return item
}

function unknownOutcome(table: string): BackstopError {
  return new BackstopError(
    'METADATA_UNREACHABLE',
    `the answer of a write to the table "${table}" was lost and the record has changed since: ` +
      'whether the write happened is unknown; read the record before trying again',
    { details: { failure: 'unreachable', outcome: 'unknown' } },
  )
}
