/**
 * A write of the port as a member of TransactWriteItems; a Put or an Update can also be sent alone.
 *
 * Marks:      each created or replaced item carries `nonce`, the id of the write that made its version, and `born`, that of
 *             the write that created it. A caller whose answer was lost finds its own mark there (see settle.ts)
 * Invariants: a replacement is an Update, so that `born` stays; what the new record lacks is removed
 * Effects:    pure
 */
import type { ConditionCheck, Delete, Put, TransactWriteItem, Update } from '@aws-sdk/client-dynamodb'
import type { RecordInput, RecordKey, RecordWrite } from '#lib/ports/index.ts'
import { encodeContent, encodeKey, OPTIONAL_ATTRIBUTES } from './item.ts'

/** What all writes of one call share. */
export interface WriteContext {
  readonly table: string
  readonly nonce: string
  readonly nowS: number
}

type Condition = Pick<Put, 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'>

const LIVE = '(attribute_not_exists(expiresAtS) OR expiresAtS > :now)'
const GONE = '(attribute_not_exists(pk) OR expiresAtS <= :now)'

export function encodeWriteItem(write: RecordWrite, context: WriteContext): TransactWriteItem {
  switch (write.kind) {
    case 'create':
      return { Put: encodeCreate(write.record, context) }
    case 'replace':
      return { Update: encodeReplace(write.record, write.expectedVersion, context) }
    case 'delete':
      return { Delete: encodeConditional(write.key, write.expectedVersion, context) }
    case 'check':
      return { ConditionCheck: encodeConditional(write.key, write.expectedVersion, context) }
  }
}

export function encodeCreate(record: RecordInput, { table, nonce, nowS }: WriteContext): Put {
  const marks = { version: { N: '1' }, nonce: { S: nonce }, born: { S: nonce } }
  return {
    TableName: table,
    Item: { ...encodeKey(record.key), ...encodeContent(record), ...marks },
    ConditionExpression: GONE,
    ExpressionAttributeValues: { ':now': { N: String(nowS) } },
  }
}

export function encodeReplace(record: RecordInput, expectedVersion: number, context: WriteContext): Update {
  const content = {
    ...encodeContent(record),
    version: { N: String(expectedVersion + 1) },
    nonce: { S: context.nonce },
  }
  const condition = versionCondition(expectedVersion, context.nowS)
  const names = Object.keys(content)
  const removed = OPTIONAL_ATTRIBUTES.filter((name) => !names.includes(name))
  const removal = removed.length > 0 ? ` REMOVE ${removed.join(', ')}` : ''
  return {
    TableName: context.table,
    Key: encodeKey(record.key),
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}${removal}`,
    ConditionExpression: condition.ConditionExpression,
    ExpressionAttributeNames: {
      ...condition.ExpressionAttributeNames,
      ...Object.fromEntries(names.map((name) => [`#${name}`, name])),
    },
    ExpressionAttributeValues: {
      ...condition.ExpressionAttributeValues,
      ...Object.fromEntries(Object.entries(content).map(([name, value]) => [`:${name}`, value])),
    },
  }
}

function encodeConditional(key: RecordKey, expectedVersion: number, context: WriteContext): Delete & ConditionCheck {
  const condition = versionCondition(expectedVersion, context.nowS)
  return { TableName: context.table, Key: encodeKey(key), ...condition } as Delete & ConditionCheck
}

/** Version 0 stands for absence. */
function versionCondition(expectedVersion: number, nowS: number): Condition {
  const now = { ':now': { N: String(nowS) } }
  if (expectedVersion === 0) return { ConditionExpression: GONE, ExpressionAttributeValues: now }
  return {
    ConditionExpression: `#version = :expected AND ${LIVE}`,
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ...now, ':expected': { N: String(expectedVersion) } },
  }
}
