import { describe, expect, it } from 'vitest'
import { decodeTokenFile } from '#lib/api/token/index.ts'
import { isBackstopError, sha256Hex } from '#lib/kernel/index.ts'

const TOKEN = 'a-long-enough-token'
const entry = (over: object = {}) => ({ id: 'ops', token: TOKEN, scopes: ['approval:read'], ...over })

function refusal(value: unknown, isDevMode = false): string {
  try {
    decodeTokenFile(typeof value === 'string' ? value : JSON.stringify(value), isDevMode)
  } catch (error) {
    if (isBackstopError(error, 'TOKENS_INVALID')) return error.message
    throw error
  }
  throw new Error('the file was accepted')
}

describe('decodeTokenFile', () => {
  it('keeps digests and no token', () => {
    const [kept] = decodeTokenFile(
      JSON.stringify([entry({ description: 'On call', expires_at: '2030-01-01T02:00:00+02:00', agent_ids: ['bot'] })]),
      false,
    )
    expect(kept).toEqual({
      id: 'ops',
      digest: sha256Hex(TOKEN),
      scopes: ['approval:read'],
      description: 'On call',
      expiresAt: '2030-01-01T00:00:00.000Z',
      agentIds: ['bot'],
    })
  })

  it('accepts the digest of a token in place of the token', () => {
    const digest = sha256Hex(TOKEN)
    const [kept] = decodeTokenFile(
      JSON.stringify([{ id: 'ops', token_sha256: digest.toUpperCase(), scopes: ['query:*'] }]),
      false,
    )
    expect(kept?.digest).toBe(digest)
  })

  const refused: readonly (readonly [string, unknown, string])[] = [
    ['what is not JSON', '[{"id": "ops",', 'not valid JSON'],
    ['an object in place of the array', { tokens: [] }, 'must hold a JSON array'],
    ['an empty array', [], 'holds no token'],
    ['an entry that is no object', ['x'], 'entry 0'],
    ['an unknown key', [entry({ role: 'admin' })], 'entry 0 ("ops"): the entry: Unrecognized key: "role"'],
    ['a __proto__ key', `[{"id":"ops","token":"${TOKEN}","scopes":["query:*"],"__proto__":{"x":1}}]`, '__proto__'],
    ['an entry without a token', [{ id: 'ops', scopes: ['query:*'] }], 'token is missing'],
    ['a token and a digest together', [entry({ token_sha256: 'a'.repeat(64) })], 'not both'],
    ['an unknown scope', [entry({ scopes: ['approval:write2'] })], 'unknown scope "approval:write2"'],
    ['a wildcard over everything', [entry({ scopes: ['*'] })], 'unknown scope "*"'],
    ['a scope that is only an area', [entry({ scopes: ['admin:'] })], 'unknown scope "admin:"'],
    ['no scopes', [entry({ scopes: [] })], 'at least one scope'],
    ['a short token', [entry({ token: 'short' })], 'shorter than 16 characters'],
    ['a token with a space', [entry({ token: 'a token with many spaces' })], 'printable ASCII without spaces'],
    ['two entries with one id', [entry(), entry({ token: `${TOKEN}2` })], 'two entries have the id "ops"'],
    ['two entries with one token', [entry(), entry({ id: 'other' })], '"ops" and "other" have the same token'],
    ['an expiry that is no instant', [entry({ expires_at: 'tomorrow' })], 'ISO-8601'],
    ['dev-token outside dev mode', [entry({ token: 'dev-token' })], 'dev mode only'],
    [
      'the digest of dev-token outside dev mode',
      [entry({ token: undefined, token_sha256: sha256Hex('dev-token') })],
      'dev mode only',
    ],
    ['an id with a control character', [entry({ id: 'a\nb' })], 'entry 0'],
  ]
  it.each(refused)('refuses %s and says where', (_, value, message) => {
    expect(refusal(value)).toContain(message)
  })

  it('names the entry that is wrong', () => {
    expect(refusal([entry(), entry({ id: 'second', token: 'short' })])).toContain('entry 1 ("second")')
  })

  it('never quotes the text of a malformed file', () => {
    expect(refusal(`[{"id": "ops", "token": "${TOKEN}" oops}]`)).not.toContain(TOKEN)
    expect(refusal(`[{"token": "${TOKEN}" "x`)).not.toMatch(/a-long/)
  })

  it('accepts short tokens and dev-token in dev mode', () => {
    expect(
      decodeTokenFile(JSON.stringify([entry({ token: 'x' }), entry({ id: 'dev', token: 'dev-token' })]), true),
    ).toHaveLength(2)
  })
})
