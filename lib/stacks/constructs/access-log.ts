/** One line of JSON for each request: who, what, how long; no header, no body, no query. */

const HTTP_FIELDS = {
  route: '$context.routeKey',
  integrationStatus: '$context.integrationStatus',
  integrationLatencyMs: '$context.integrationLatency',
  errorMessage: '$context.error.message',
}

const REST_FIELDS = {
  route: '$context.httpMethod $context.resourcePath',
  integrationStatus: '$context.integration.status',
  integrationLatencyMs: '$context.integration.latency',
  errorMessage: '$context.error.message',
}

export function accessLogFormat(kind: 'http' | 'rest'): string {
  return JSON.stringify({
    at: '$context.requestTime',
    requestId: '$context.requestId',
    address: '$context.identity.sourceIp',
    userAgent: '$context.identity.userAgent',
    protocol: '$context.protocol',
    status: '$context.status',
    latencyMs: '$context.responseLatency',
    responseBytes: '$context.responseLength',
    ...(kind === 'http' ? HTTP_FIELDS : REST_FIELDS),
  })
}
