/** Errors of a thread mean the same to the one that started it. */
import { expect, test } from 'vitest'
import { BackstopError, isBackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { decodeFailure, encodeFailure } from '#lib/runtime/capture-thread/failure.ts'

/** As `postMessage` hands it over. */
const across = (error: unknown) => decodeFailure(structuredClone(encodeFailure(error)))

test('keeps code, hint, message and details of our own errors', () => {
  const error = new BackstopError('TABLE_TOO_LARGE_FOR_RUN', 'the time was too short', {
    details: { leftover: 'snapshots/a/b' },
    cause: new Error('of the driver'),
  })
  const decoded = across(error)
  expect(isBackstopError(decoded, 'TABLE_TOO_LARGE_FOR_RUN')).toBe(true)
  expect(decoded).toMatchObject({ message: error.message, hint: error.hint, details: error.details, kind: 'timeout' })
})

test('keeps what the server said of a statement', () => {
  const failure = { sqlState: '42501', message: 'permission denied for table big', position: 7 }
  const decoded = across(new StatementError(failure))
  expect(decoded).toBeInstanceOf(StatementError)
  expect((decoded as StatementError).failure).toEqual(failure)
})

test('keeps name, message and stack of what nobody expected', () => {
  const error = new RangeError('the batch has no column v')
  expect(across(error)).toMatchObject({ name: 'RangeError', message: error.message, stack: error.stack })
  expect(across('a text')).toMatchObject({ name: 'Error', message: 'a text' })
})
