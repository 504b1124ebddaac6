/** What an AWS request asks for, read from the request as it is on the wire. */
import type { IncomingHttpHeaders } from 'node:http'

export interface AwsCall {
  /** As in the signature's scope: `dynamodb`, `sqs`, `sns`, `kms`, `s3`, `secretsmanager`, … */
  readonly service: string
  /** `PutItem`, `SendMessage`, `Publish`; of a REST service such as S3 `PUT /bucket/key?partNumber=1`. */
  readonly operation: string
}

const SERVICES_OF_TARGETS: Readonly<Record<string, string>> = {
  DynamoDB_20120810: 'dynamodb',
  AmazonSQS: 'sqs',
  TrentService: 'kms',
  secretsmanager: 'secretsmanager',
}

export function readCall(method: string, url: string, headers: IncomingHttpHeaders, body: Buffer): AwsCall {
  const [target = '', operation] = String(headers['x-amz-target'] ?? '').split('.')
  const service = serviceOfScope(headers.authorization ?? url) ?? SERVICES_OF_TARGETS[target] ?? 'unknown'
  if (operation !== undefined) return { service, operation }
  const isForm = String(headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  const action = isForm ? new URLSearchParams(body.toString()).get('Action') : null
  return { service, operation: action ?? `${method} ${url}` }
}

/** `Credential=<key>/20261120/eu-central-1/s3/aws4_request`, in a header or, escaped, in a presigned address. */
function serviceOfScope(text: string): string | undefined {
  return /Credential=[^,&\s]*?\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(text.replaceAll('%2F', '/'))?.[1]
}
