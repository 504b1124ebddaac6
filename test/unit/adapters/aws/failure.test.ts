import { describe, expect, it } from 'vitest'
import { awsClientConfig } from '#lib/adapters/aws/client.ts'
import { classifyAwsError, isOutcomeUnknown, mapAwsError } from '#lib/adapters/aws/failure.ts'
import { BackstopError } from '#lib/kernel/index.ts'

const named = (name: string, httpStatusCode?: number, more: object = {}) =>
  Object.assign(
    new Error(`arn:aws:secret-thing ${name}`),
    { name, $metadata: { httpStatusCode, requestId: 'r1' } },
    more,
  )
const table = { code: 'METADATA_UNREACHABLE', resource: 'the table "t"' } as const

describe('what an AWS call threw', () => {
  it.each([
    [named('ProvisionedThroughputExceededException', 400), 'throttled'],
    [named('SlowDown', 503), 'throttled'],
    [named('Whatever', 429), 'throttled'],
    [named('ConditionalCheckFailedException', 400), 'conditional'],
    [named('PreconditionFailed', 412), 'conditional'],
    [named('TransactionConflictException', 400), 'busy'],
    [named('ResourceNotFoundException', 400), 'missing'],
    [named('AccessDeniedException', 400), 'denied'],
    [named('Forbidden', 403), 'denied'],
    [named('ValidationException', 400), 'invalid'],
    [named('InternalServerError', 500), 'failing'],
    [named('SyntaxError', 200), 'unreachable'],
    [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }), 'unreachable'],
    [named('TimeoutError'), 'unreachable'],
    [undefined, 'unreachable'],
    ['text', 'unreachable'],
  ])('%s is told apart by name before status', (error, kind) => {
    expect(classifyAwsError(error).kind).toBe(kind)
  })

  it('says what to do next and shows no message of AWS', () => {
    const mapped = mapAwsError(named('AccessDeniedException', 400), table)
    expect(mapped.code).toBe('METADATA_UNREACHABLE')
    expect(mapped.message).toBe(
      'the table "t" failed (AccessDeniedException): this identity may not use it: ' +
        "check the role's policy and its credentials",
    )
    expect(mapped.details).toEqual({
      failure: 'denied',
      awsError: 'AccessDeniedException',
      httpStatus: 400,
      awsRequestId: 'r1',
    })
  })

  it('keeps an error that is one of ours', () => {
    const ours = new BackstopError('RECORD_CHANGED', 'x')
    expect(mapAwsError(ours, table)).toBe(ours)
  })

  it('does not print a name that is a sentence', () => {
    expect(classifyAwsError({ name: 'password is hunter2' }).name).toBe('unknown failure')
  })

  it('knows when the effect is unknown', () => {
    expect(isOutcomeUnknown(named('TimeoutError'))).toBe(true)
    expect(isOutcomeUnknown(named('InternalServerError', 500))).toBe(true)
    expect(isOutcomeUnknown(named('ThrottlingException', 400))).toBe(false)
  })
})

describe('settings of a client', () => {
  it('are bounded when nothing is said', () => {
    expect(awsClientConfig({ region: 'eu-central-1' })).toMatchObject({
      region: 'eu-central-1',
      maxAttempts: 4,
      retryMode: 'standard',
      requestHandler: {
        connectionTimeout: 1_000,
        requestTimeout: 3_000,
        throwOnRequestTimeout: true,
        socketTimeout: 3_000,
      },
    })
    expect(awsClientConfig({ region: 'x' })).not.toHaveProperty('endpoint')
  })

  it('takes what is said', () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
    const config = awsClientConfig({
      region: 'x',
      endpoint: 'http://127.0.0.1:1',
      credentials,
      requestTimeoutMs: 20,
      attempts: 1,
    })
    expect(config).toMatchObject({ endpoint: 'http://127.0.0.1:1', credentials, maxAttempts: 1 })
    expect(config.requestHandler.requestTimeout).toBe(20)
  })
})
