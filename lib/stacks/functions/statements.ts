/** Each permission of the function table as exact IAM statements: the one place where actions and resources are named. */
import type { Environment } from '../config/model.ts'
import type { Permission, QueueName } from './model.ts'
import type { KeyArns, Places } from './places.ts'

/** A statement of a role; `reason` explains every `*` in it. */
export interface Statement {
  readonly sid: string
  readonly effect?: 'Deny'
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly reason?: string
}

type Build = (places: Places, environment: Environment) => readonly Statement[]

const TABLE_KEY_READ = ['kms:Decrypt', 'kms:DescribeKey']
const TABLE_KEY_WRITE = [
  ...TABLE_KEY_READ,
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
]

/** Use of a key through one service alone: never by calling KMS itself. */
function useKey(
  places: Places,
  key: keyof KeyArns,
  service: 'dynamodb' | 's3' | 'sqs' | 'sns' | 'secretsmanager',
  actions: readonly string[],
): Statement {
  return {
    sid: `UseKey${key}${service}${actions.length}`,
    actions,
    resources: [places.keys[key]],
    conditions: { StringEquals: { 'kms:ViaService': `${service}.${places.region}.amazonaws.com` } },
  }
}

const OBJECTS = 'The objects of one folder of one bucket: their names are not known beforehand.'

/** Objects below `folder` of a bucket, and their names. */
function readFolder(sid: string, bucketArn: string, folder: string): readonly Statement[] {
  return [
    { sid: `${sid}Read`, actions: ['s3:GetObject'], resources: [`${bucketArn}/${folder}/*`], reason: OBJECTS },
    // Without it S3 answers 403 where nothing is, and absent could not be told from denied.
    { sid: `${sid}List`, actions: ['s3:ListBucket'], resources: [bucketArn] },
  ]
}

/**
 * Adding alone. S3 names one action for a new object and for another version of an old one, so the condition is what
 * tells them apart: `If-None-Match` must be sent, and with it S3 refuses a key that exists.
 */
function addToFolder(sid: string, bucketArn: string, folder: string): readonly Statement[] {
  const resources = [`${bucketArn}/${folder}/*`]
  return [
    {
      sid: `${sid}Add`,
      actions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      resources,
      reason: OBJECTS,
    },
    {
      sid: `${sid}AddOnce`,
      effect: 'Deny',
      actions: ['s3:PutObject'],
      resources,
      conditions: { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } },
      reason: OBJECTS,
    },
  ]
}

function sendToTask(places: Places): readonly Statement[] {
  const { taskQueue } = places
  if (taskQueue === undefined) return []
  return [
    { sid: 'Sendtask', actions: ['sqs:SendMessage'], resources: [taskQueue.arn] },
    useKey(places, 'messages', 'sqs', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]
}

function send(queue: QueueName): Build {
  return (places) => [
    { sid: `Send${queue}`, actions: ['sqs:SendMessage'], resources: [places.queues[queue].arn] },
    useKey(places, 'messages', 'sqs', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]
}

function receive(queue: QueueName): Build {
  return (places) => [
    {
      sid: `Receive${queue}`,
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
      resources: [places.queues[queue].arn],
    },
    useKey(places, 'messages', 'sqs', ['kms:Decrypt']),
  ]
}

function readSecret(sid: string, arn: string, places: Places): readonly Statement[] {
  return [
    { sid, actions: ['secretsmanager:GetSecretValue'], resources: [arn] },
    useKey(places, 'secrets', 'secretsmanager', ['kms:Decrypt']),
  ]
}

/** By IAM: one user of one database. By secret: that secret, and its key when it has one of its own. */
const connect: Build = (places, { database }) => {
  const { auth } = database
  if (auth.kind === 'rds-iam') {
    const user = `arn:${places.partition}:rds-db:${places.region}:${places.account}:dbuser:${auth.resourceId}/${database.user}`
    return [{ sid: 'Connect', actions: ['rds-db:connect'], resources: [user] }]
  }
  const read = { sid: 'DatabaseSecret', actions: ['secretsmanager:GetSecretValue'], resources: [auth.secretArn] }
  if (auth.keyArn === undefined) return [read]
  const via = { StringEquals: { 'kms:ViaService': `secretsmanager.${places.region}.amazonaws.com` } }
  return [read, { sid: 'DatabaseSecretKey', actions: ['kms:Decrypt'], resources: [auth.keyArn], conditions: via }]
}

type VaultName = 'snapshots' | 'audit'

/** S3 decrypts the parts of a multipart upload when it joins them: adding needs Decrypt too, but not s3:GetObject. */
function add(sid: string, bucket: VaultName, folder: string): Build {
  return (places) => [
    ...addToFolder(sid, places[bucket].arn, folder),
    useKey(places, 'data', 's3', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ]
}

function read(sid: string, bucket: VaultName, folder: string): Build {
  return (places) => [...readFolder(sid, places[bucket].arn, folder), useKey(places, 'data', 's3', ['kms:Decrypt'])]
}

const STATEMENTS: Readonly<Record<Permission, Build>> = {
  'records:read': (places) => [
    {
      sid: 'ReadRecords',
      actions: ['dynamodb:GetItem', 'dynamodb:Query'],
      resources: [places.table.arn, `${places.table.arn}/index/index1`, `${places.table.arn}/index/index2`],
    },
    useKey(places, 'data', 'dynamodb', TABLE_KEY_READ),
  ],
  'records:write': (places) => [
    {
      sid: 'WriteRecords',
      actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:ConditionCheckItem'],
      resources: [places.table.arn],
    },
    useKey(places, 'data', 'dynamodb', TABLE_KEY_WRITE),
  ],
  'snapshots:add': add('Snapshots', 'snapshots', 'snapshots'),
  'snapshots:read': read('Snapshots', 'snapshots', 'snapshots'),
  'sets:add': add('Sets', 'snapshots', 'sets'),
  'sets:read': read('Sets', 'snapshots', 'sets'),
  // No versions: what it deletes can be brought back until the bucket's own rule removes the old version.
  'snapshots:remove': (places) => [
    {
      sid: 'SnapshotsRemove',
      actions: ['s3:DeleteObject'],
      resources: [`${places.snapshots.arn}/snapshots/*`, `${places.snapshots.arn}/sets/*`],
      reason: OBJECTS,
    },
  ],
  'drills:add': add('Drills', 'snapshots', 'drills'),
  'drills:read': read('Drills', 'snapshots', 'drills'),
  'wal:read': read('Wal', 'snapshots', 'wal'),
  'undo:add': add('Undo', 'snapshots', 'undo'),
  'undo:read': read('Undo', 'snapshots', 'undo'),
  'audit:append': add('Audit', 'audit', 'audit'),
  'audit:read': read('Audit', 'audit', 'audit'),
  'config:read': (places) => [
    { sid: 'ReadPolicy', actions: ['s3:GetObject'], resources: [`${places.config.arn}/policy.json`] },
    { sid: 'FindPolicy', actions: ['s3:ListBucket'], resources: [places.config.arn] },
    useKey(places, 'data', 's3', ['kms:Decrypt']),
  ],
  'tokens:read': (places) => readSecret('ReadTokens', places.tokensSecretArn, places),
  'webhooks:read': (places) =>
    places.webhookSecretArn === undefined ? [] : readSecret('ReadWebhooks', places.webhookSecretArn, places),
  'topic:publish': (places) => [
    { sid: 'Publish', actions: ['sns:Publish'], resources: [places.topicArn] },
    useKey(places, 'messages', 'sns', ['kms:Decrypt', 'kms:GenerateDataKey']),
  ],
  'database:connect': connect,
  'queue.task:send': sendToTask,
  'queue.run:send': send('run'),
  'queue.capture:send': send('capture'),
  'queue.part:send': send('part'),
  'queue.alert:send': send('alert'),
  'queue.run:receive': receive('run'),
  'queue.capture:receive': receive('capture'),
  'queue.part:receive': receive('part'),
  'queue.alert:receive': receive('alert'),
}

/** Without doubles: two permissions may need the same use of the same key. */
export function statementsOf(
  permissions: readonly Permission[],
  places: Places,
  environment: Environment,
): readonly Statement[] {
  const all = permissions.flatMap((permission) => STATEMENTS[permission](places, environment))
  return [...new Map(all.map((statement) => [statement.sid, statement])).values()]
}
