import { describe, expect, it } from 'vitest'
import { readCredential } from '#lib/api/token/index.ts'

describe('readCredential', () => {
  it('reads either header', () => {
    expect(readCredential(['Bearer abc'], [])).toEqual({ kind: 'token', token: 'abc' })
    expect(readCredential(['bearer  abc '], [])).toEqual({ kind: 'token', token: 'abc' })
    expect(readCredential([], ['abc'])).toEqual({ kind: 'token', token: 'abc' })
    expect(readCredential([], [])).toEqual({ kind: 'absent' })
  })

  it('accepts two headers that agree and refuses two that do not', () => {
    expect(readCredential(['Bearer abc'], ['abc'])).toEqual({ kind: 'token', token: 'abc' })
    expect(readCredential(['Bearer abc'], ['abd']).kind).toBe('malformed')
    expect(readCredential(['Bearer abc', 'Bearer abd'], []).kind).toBe('malformed')
    expect(readCredential([], ['abc', 'abd']).kind).toBe('malformed')
  })

  it('names a wrong scheme', () => {
    const basic = readCredential(['Basic dXNlcjpwYXNz'], [])
    expect(basic).toMatchObject({ kind: 'malformed', message: expect.stringContaining('the scheme Basic') })
    expect(readCredential(['Token abc'], [])).toMatchObject({ message: expect.stringContaining('the scheme Token') })
  })

  it.each([
    'abc',
    '',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Bearer a,Bearer b c',
    'Bearer\tabc',
    'Bearer é',
    'BearerX abc',
  ])('refuses %j without quoting it', (value) => {
    const credential = readCredential([value], [])
    expect(credential).toEqual({
      kind: 'malformed',
      message: 'The Authorization header is malformed; write "Authorization: Bearer <token>".',
    })
  })

  it('does not let a good second header rescue a malformed first one', () => {
    expect(readCredential(['Basic x'], ['abc']).kind).toBe('malformed')
  })
})
