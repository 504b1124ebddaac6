import { expect, test } from 'vitest'
import { BackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { describeFailure } from '#lib/recovery/failure.ts'

test('messages that name objects are kept, those that may quote a value are not', () => {
  const denied = new StatementError({ sqlState: '42501', message: 'permission denied for table t' })
  expect(describeFailure(denied)).toEqual({ code: 'SQLSTATE_42501', reason: 'permission denied for table t (42501)' })
  expect(describeFailure(denied, { '42501': 'TABLE_UNREADABLE' }).code).toBe('TABLE_UNREADABLE')
  for (const sqlState of ['22P02', '23505', 'P0001', 'XX000']) {
    const error = new StatementError({ sqlState, message: 'the value "4111-1111" is wrong' })
    expect(describeFailure(error)).toEqual({
      code: `SQLSTATE_${sqlState}`,
      reason: `the server refused with SQLSTATE ${sqlState}`,
    })
  }
})

test('our own errors keep their code, unexpected ones only their name', () => {
  expect(describeFailure(new BackstopError('SNAPSHOT_CORRUPT', 'm'))).toEqual({ code: 'SNAPSHOT_CORRUPT', reason: 'm' })
  expect(describeFailure(new TypeError('4111-1111'))).toMatchObject({
    code: 'TypeError',
    reason: expect.stringMatching(/^unexpected/),
  })
  expect(describeFailure('4111-1111').reason).not.toContain('4111')
})
