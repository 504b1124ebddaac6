import { describe, expect, test } from 'vitest'
import { describeFailure, findSetting, readTable } from '#lib/cli/frame/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'

describe('a table name', () => {
  test.each([
    ['users', 'public', 'users'],
    ['Users', 'public', 'users'],
    ['billing.Invoices', 'billing', 'invoices'],
    ['"Users"', 'public', 'Users'],
    ['"My ""odd"" schema"."a.b"', 'My "odd" schema', 'a.b'],
    ['café', 'public', 'café'],
  ])('%s is %s and %s', (text, schema, name) => {
    expect(readTable(text)).toEqual({ schema, name })
  })

  test.each(['', 'a.b.c', 'a b', 'a;DROP', '"a', 'a..b', '.a', '1a', "a'b"])('%j is refused', (text) => {
    expect(() => readTable(text)).toThrow('a table is written as')
  })
})

test('a flag wins over the variable, and an empty value is none', () => {
  expect(findSetting('flag', 'X', { X: 'variable' })).toBe('flag')
  expect(findSetting(undefined, 'X', { X: 'variable' })).toBe('variable')
  expect(findSetting(undefined, 'X', { X: '' })).toBeUndefined()
})

describe('failures', () => {
  test('an error of the table keeps its code, hint and exit code', () => {
    expect(describeFailure(new BackstopError('POLICY_INVALID', 'bad'))).toEqual({
      code: 'POLICY_INVALID',
      message: 'bad',
      hint: 'Run "backstop policy check <file>" and correct the fields it names.',
      exitCode: 2,
    })
  })

  test('a refusal of the database is told with its SQLSTATE', () => {
    const failure = describeFailure(new StatementError({ sqlState: '42P01', message: 'relation "x" does not exist' }))
    expect(failure).toMatchObject({ code: 'EXECUTION_FAILED', exitCode: 1 })
    expect(failure.hint).toContain('42P01')
  })

  test('anything else is a defect', () => {
    expect(describeFailure(new TypeError('x is undefined'))).toMatchObject({ code: 'BUG', exitCode: 1 })
  })
})
