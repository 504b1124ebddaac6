/** Settings that every AWS client of the product shares: where, as whom, how long one attempt may take and how many there are. */

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface AwsClientSettings {
  readonly region: string
  /** Absent: the service's own address. A local cloud or a private endpoint otherwise. */
  readonly endpoint?: string
  /** Absent: those of the function's role, by the SDK's default chain. */
  readonly credentials?: AwsCredentials
  /** 1,000 when absent. */
  readonly connectTimeoutMs?: number
  /** From sending to the answer's headers, and between two pieces of its body; 3,000 when absent. */
  readonly requestTimeoutMs?: number
  /** Of one call, the first included; 4 when absent. */
  readonly attempts?: number
}

const CONNECT_TIMEOUT_MS = 1_000
const REQUEST_TIMEOUT_MS = 3_000
const ATTEMPTS = 4
const KEEP_SOCKETS = 64

/**
 * The configuration of one client: `new DynamoDBClient(awsClientConfig(settings))`.
 *
 * Bounds:  without a limit the SDK waits for an answer for ever. With these a call that nobody answers ends after
 *          attempts × requestTimeoutMs and three pauses of at most 20 seconds together, in practice under 2
 * Retries: mode `standard`, which stops retrying when most calls fail. Not `adaptive`: its rate limiter makes callers wait
 *          without a bound, and a caller here has 29 seconds
 */
export function awsClientConfig(settings: AwsClientSettings) {
  const requestTimeoutMs = settings.requestTimeoutMs ?? REQUEST_TIMEOUT_MS
  return {
    region: settings.region,
    maxAttempts: settings.attempts ?? ATTEMPTS,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: settings.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: requestTimeoutMs,
      httpAgent: { keepAlive: true, maxSockets: KEEP_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: KEEP_SOCKETS },
    },
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint }),
    ...(settings.credentials !== undefined && { credentials: settings.credentials }),
  }
}
