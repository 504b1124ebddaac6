/**
 * What a request on the wire needs to be allowed to do.
 *
 * Source: AWS Service Authorization Reference, "Actions, resources, and condition keys" of each service
 */
import type { IncomingHttpHeaders } from 'node:http'
import { readCall } from '../fault-call.ts'
import type { Wanted } from './model.ts'

export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const ACCOUNT = '000000000000'
const REGION = 'us-east-1'

type Json = Readonly<Record<string, unknown>>
type Read = (request: WireRequest, operation: string) => readonly Wanted[]

const want = (action: string, resource: string, context: Wanted['context'] = {}): Wanted => ({
  action,
  resource,
  context,
})
const bodyOf = ({ body }: WireRequest) => JSON.parse(body.toString()) as Json
const tableArn = (name: unknown) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${String(name)}`

const TRANSACT_ACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
}

/** A transaction needs the action of each of its members. */
const readDynamo: Read = (request, operation) => {
  const body = bodyOf(request)
  const members = body['TransactItems'] as readonly Readonly<Record<string, Json>>[] | undefined
  if (members === undefined) {
    const index = body['IndexName'] === undefined ? '' : `/index/${String(body['IndexName'])}`
    return [want(`dynamodb:${operation}`, `${tableArn(body['TableName'])}${index}`)]
  }
  return members.flatMap((member) =>
    Object.entries(member).map(([kind, { TableName }]) =>
      want(`dynamodb:${TRANSACT_ACTIONS[kind] ?? kind}`, tableArn(TableName)),
    ),
  )
}

/** By address, `http://host/account/name`, as SQS gives it. */
const readSqs: Read = (request, operation) => {
  const name = String(bodyOf(request)['QueueUrl']).split('/').at(-1)
  const action = operation.replace(/Batch$/, '')
  return [want(`sqs:${action}`, `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`)]
}

const readSecret: Read = (request, operation) => [
  want(`secretsmanager:${operation}`, String(bodyOf(request)['SecretId'])),
]

const readSns: Read = ({ body }, operation) => [
  want(`sns:${operation}`, new URLSearchParams(body.toString()).get('TopicArn') ?? ''),
]

function s3Action(method: string, hasKey: boolean, query: URLSearchParams): string {
  if (!hasKey) return query.has('uploads') ? 's3:ListBucketMultipartUploads' : 's3:ListBucket'
  if (method === 'GET' && query.has('uploadId')) return 's3:ListMultipartUploadParts'
  if (method === 'GET' || method === 'HEAD') return 's3:GetObject'
  if (method === 'DELETE') return query.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject'
  return 's3:PutObject'
}

/** An object comes into being with a plain put or when a multipart upload is completed. */
function s3Context(request: WireRequest, query: URLSearchParams): Wanted['context'] {
  const isPart = query.has('partNumber') || query.has('uploads')
  const isCreation = (request.method === 'PUT' || request.method === 'POST') && !isPart
  const ifNoneMatch = request.headers['if-none-match']
  const prefix = query.get('prefix')
  return {
    's3:ObjectCreationOperation': String(isCreation),
    ...(ifNoneMatch !== undefined && { 's3:if-none-match': ifNoneMatch }),
    ...(prefix !== null && { 's3:prefix': prefix }),
  }
}

/** Path style: `/bucket/key`. */
const readS3: Read = (request) => {
  const { pathname, searchParams } = new URL(request.url, 'http://s3')
  const [bucket = '', ...rest] = decodeURIComponent(pathname.slice(1)).split('/')
  const key = rest.join('/')
  const resource = key === '' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`
  return [want(s3Action(request.method, key !== '', searchParams), resource, s3Context(request, searchParams))]
}

const READERS: Readonly<Record<string, Read>> = {
  dynamodb: readDynamo,
  sqs: readSqs,
  s3: readS3,
  secretsmanager: readSecret,
  sns: readSns,
}

export interface ReadRequest {
  /** Empty when the request cannot be read: nobody may then say that it was allowed. */
  readonly wanted: readonly Wanted[]
  readonly summary: string
}

export function readWanted(request: WireRequest): ReadRequest {
  const { service, operation } = readCall(request.method, request.url, request.headers, request.body)
  const summary = `${service} ${operation}`
  try {
    return { wanted: READERS[service]?.(request, operation) ?? [], summary }
  } catch {
    return { wanted: [], summary }
  }
}
