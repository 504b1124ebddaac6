/** Error answers as each AWS service writes them, so that the SDK reads them as the service's own. */

export interface FaultAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ServiceError {
  readonly status: number
  /** AWS's name, such as `InternalServerError`. */
  readonly name: string
  /** Of a JSON error. */
  readonly fields?: object
}

const THROTTLES: Readonly<Record<string, ServiceError>> = {
  dynamodb: { status: 400, name: 'ThrottlingException' },
  sqs: { status: 400, name: 'RequestThrottled' },
  sns: { status: 429, name: 'Throttled' },
  kms: { status: 400, name: 'ThrottlingException' },
  secretsmanager: { status: 400, name: 'ThrottlingException' },
  s3: { status: 503, name: 'SlowDown' },
}

export function throttleOf(service: string): ServiceError {
  const throttle = THROTTLES[service]
  if (throttle === undefined) throw new Error(`fault-answer.ts does not know how ${service} throttles: add it there.`)
  return throttle
}

export function encodeServiceError(service: string, { status, name, fields }: ServiceError): FaultAnswer {
  if (service === 's3') {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${name}</Code><Message>injected</Message><RequestId>fault</RequestId></Error>`
    return { status, headers: { 'content-type': 'application/xml', 'x-amz-request-id': 'fault' }, body }
  }
  if (service === 'sns' || service === 'sts') {
    const type = status < 500 ? 'Sender' : 'Receiver'
    const body = `<ErrorResponse><Error><Type>${type}</Type><Code>${name}</Code><Message>injected</Message></Error><RequestId>fault</RequestId></ErrorResponse>`
    return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': 'fault' }, body }
  }
  const body = JSON.stringify({ __type: `com.amazonaws.${service}#${name}`, message: 'injected', ...fields })
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-requestid': 'fault',
      ...(service === 'sqs' && { 'x-amzn-query-error': `${name};${status < 500 ? 'Sender' : 'Receiver'}` }),
    },
    body,
  }
}
