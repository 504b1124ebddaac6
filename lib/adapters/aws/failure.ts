/** What an AWS call threw, as an error of the product: the one place that knows AWS's error names. */
import type { ErrorCode } from '#lib/kernel/index.ts'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'

/**
 * `conditional`: the call's own condition was not met. `busy`: another write was in the way, nothing happened.
 * `unreachable`: no answer, or none that can be read: whether the call had its effect is unknown.
 */
export type AwsFailureKind =
  | 'conditional'
  | 'busy'
  | 'throttled'
  | 'missing'
  | 'denied'
  | 'invalid'
  | 'failing'
  | 'unreachable'

export interface AwsFailure {
  readonly kind: AwsFailureKind
  /** AWS's name, such as `ThrottlingException`, or Node's code, such as `ECONNRESET`. Never AWS's message. */
  readonly name: string
  /** 0 when nothing answered. */
  readonly httpStatus: number
  readonly requestId: string | undefined
}

/** What the call was about: the error that callers branch on, and the resource as a person would call it. */
export interface AwsSubject {
  readonly code: ErrorCode
  /** For example `the table "backstop-prod"`. */
  readonly resource: string
  /** The answer holds a secret, and the SDK's error the answer: it is not carried along. */
  readonly isSecret?: boolean
}

const NAMES: Readonly<Record<string, AwsFailureKind>> = {
  ConditionalCheckFailedException: 'conditional',
  PreconditionFailed: 'conditional',
  ConditionalRequestConflict: 'busy',
  OperationAborted: 'busy',
  TransactionConflictException: 'busy',
  TransactionInProgressException: 'busy',
  BandwidthLimitExceeded: 'throttled',
  EC2ThrottledException: 'throttled',
  KMSThrottlingException: 'throttled',
  LimitExceededException: 'throttled',
  OverLimit: 'throttled',
  PriorRequestNotComplete: 'throttled',
  ProvisionedThroughputExceededException: 'throttled',
  RequestLimitExceeded: 'throttled',
  RequestThrottled: 'throttled',
  RequestThrottledException: 'throttled',
  SlowDown: 'throttled',
  Throttled: 'throttled',
  ThrottledException: 'throttled',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  TooManyRequestsException: 'throttled',
  NoSuchBucket: 'missing',
  NoSuchKey: 'missing',
  NotFound: 'missing',
  NotFoundException: 'missing',
  QueueDoesNotExist: 'missing',
  ResourceNotFoundException: 'missing',
  AccessDenied: 'denied',
  AccessDeniedException: 'denied',
  AuthorizationError: 'denied',
  AuthorizationErrorException: 'denied',
  CredentialsProviderError: 'denied',
  ExpiredToken: 'denied',
  ExpiredTokenException: 'denied',
  IncompleteSignature: 'denied',
  InvalidAccessKeyId: 'denied',
  InvalidClientTokenId: 'denied',
  InvalidSignatureException: 'denied',
  KMSAccessDeniedException: 'denied',
  KmsAccessDenied: 'denied',
  MissingAuthenticationTokenException: 'denied',
  SignatureDoesNotMatch: 'denied',
  UnrecognizedClientException: 'denied',
}

const ADVICE: Readonly<Record<AwsFailureKind, string>> = {
  conditional: 'its condition was not met: read it again and decide from what it says',
  busy: 'other writes were in the way at every attempt: try again',
  throttled: 'its throughput is used up and retries did not help: slow down, or raise its limits',
  missing: 'it does not exist in this account and region: check the name and the deployment',
  denied: "this identity may not use it: check the role's policy and its credentials",
  invalid: 'it refused the request: check that the versions of function and stack match',
  failing: 'the service answers with errors: see its health page, and try again',
  unreachable: 'no complete answer came: check the network path (VPC endpoint, security group, DNS), and try again',
}

export function classifyAwsError(error: unknown): AwsFailure {
  const { name, code, $metadata } = (error ?? {}) as {
    name?: unknown
    code?: unknown
    $metadata?: { httpStatusCode?: unknown; requestId?: unknown }
  }
  const httpStatus = typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : 0
  const shown = [code, name].find((word) => typeof word === 'string' && /^[\w.#-]{1,80}$/.test(word))
  const kind = (typeof name === 'string' ? NAMES[name] : undefined) ?? kindOfStatus(httpStatus)
  const requestId = typeof $metadata?.requestId === 'string' ? $metadata.requestId : undefined
  return { kind, name: typeof shown === 'string' ? shown : 'unknown failure', httpStatus, requestId }
}

/** A 2xx that threw is an answer that broke off or was garbled on its way. */
function kindOfStatus(httpStatus: number): AwsFailureKind {
  if (httpStatus === 412) return 'conditional'
  if (httpStatus === 429) return 'throttled'
  if (httpStatus === 404) return 'missing'
  if (httpStatus === 401 || httpStatus === 403) return 'denied'
  if (httpStatus >= 500) return 'failing'
  return httpStatus >= 300 ? 'invalid' : 'unreachable'
}

/** A BackstopError stays what it is; anything else becomes the subject's error and says what to do next. */
export function mapAwsError(error: unknown, { code, resource, isSecret }: AwsSubject): BackstopError {
  if (isBackstopError(error)) return error
  const { kind, name, httpStatus, requestId } = classifyAwsError(error)
  return new BackstopError(code, `${resource} failed (${name}): ${ADVICE[kind]}`, {
    ...(!isSecret && { cause: error }),
    details: {
      failure: kind,
      awsError: name,
      ...(httpStatus > 0 && { httpStatus }),
      ...(requestId !== undefined && { awsRequestId: requestId }),
    },
  })
}

/** True when the call may or may not have had its effect. */
export function isOutcomeUnknown(error: unknown): boolean {
  const { kind } = classifyAwsError(error)
  return kind === 'unreachable' || kind === 'failing'
}
