/** Events as API Gateway makes them, of both kinds of API. */
import type { Context } from 'aws-lambda'

// What functions write is not what these tests are about.
process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT'
process.env['POWERTOOLS_METRICS_DISABLED'] = 'true'

export interface CallShape {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly isBase64Encoded?: boolean
  /** What the authorizer said; absent: none was asked. */
  readonly verdict?: unknown
}

const SOURCE_IP = '192.0.2.10'

export function httpApiEvent(call: CallShape, stage = '$default') {
  const { method, path, query = '', headers = {}, verdict } = call
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: stage === '$default' ? path : `/${stage}${path}`,
    rawQueryString: query,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    requestContext: {
      stage,
      requestId: 'request',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: SOURCE_IP, userAgent: 'test' },
      ...(verdict === undefined ? {} : { authorizer: { lambda: verdict } }),
    },
    ...(call.body === undefined ? {} : { body: call.body }),
    isBase64Encoded: call.isBase64Encoded ?? false,
  }
}

export function restEvent(call: CallShape) {
  const { method, path, query = '', headers = {}, verdict } = call
  const parameters = [...new URLSearchParams(query)]
  const grouped = Object.groupBy(parameters, ([name]) => name)
  return {
    resource: '/{proxy+}',
    httpMethod: method,
    path,
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: query === '' ? null : Object.fromEntries(parameters),
    multiValueQueryStringParameters:
      query === ''
        ? null
        : Object.fromEntries(
            Object.entries(grouped).map(([name, pairs = []]) => [name, pairs.map(([, value]) => value)]),
          ),
    requestContext: {
      stage: 'prod',
      path: `/prod${path}`,
      identity: { sourceIp: SOURCE_IP },
      ...(verdict === undefined
        ? {}
        : { authorizer: { principalId: 'x', integrationLatency: 12, ...(verdict as object) } }),
    },
    body: call.body ?? null,
    isBase64Encoded: call.isBase64Encoded ?? false,
  }
}

let invocations = 0

/** A context with so much time left. */
export function lambdaContext(timeoutMs = 29_000): Context {
  const endMs = performance.now() + timeoutMs
  invocations += 1
  return {
    awsRequestId: `invocation-${invocations}`,
    functionName: 'test',
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(endMs - performance.now())),
  } as Context
}
