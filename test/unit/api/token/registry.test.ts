import { describe, expect, it } from 'vitest'
import { createTokenRegistry } from '#lib/api/token/index.ts'

const TOKEN = 'operator-token-0123456789'
const fileWith = (over: object = {}) => JSON.stringify([{ id: 'ops', token: TOKEN, scopes: ['approval:*'], ...over }])
const clockAt = (text: string) => ({ nowMs: () => Date.parse(text), monotonicMs: () => 0 })
const clock = clockAt('2029-12-31T23:59:59.999Z')

describe('the token registry', () => {
  it('knows a token and nothing near it', () => {
    const registry = createTokenRegistry({ text: fileWith(), isDevMode: false, clock })
    expect(registry.authenticate(TOKEN)).toEqual({
      ok: true,
      principal: { name: 'ops', scopes: ['approval:*'], agentIds: [] },
    })
    const near = [`${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase(), ` ${TOKEN}`, `${TOKEN}\0`, '', 'dev-token']
    for (const token of near) expect(registry.authenticate(token)).toEqual({ ok: false, because: 'unknown' })
    expect(near.length).toBeGreaterThanOrEqual(7)
  })

  it('ends a token at its expiry', () => {
    const text = fileWith({ expires_at: '2030-01-01T00:00:00Z' })
    expect(createTokenRegistry({ text, isDevMode: false, clock }).authenticate(TOKEN).ok).toBe(true)
    const later = createTokenRegistry({ text, isDevMode: false, clock: clockAt('2030-01-01T00:00:00Z') })
    expect(later.authenticate(TOKEN)).toEqual({ ok: false, because: 'expired' })
  })

  it('takes a new file without a restart', () => {
    const registry = createTokenRegistry({ text: fileWith(), isDevMode: false, clock })
    expect(registry.reload(fileWith({ token: 'another-token-0123456789' }))).toEqual({ ok: true, tokenCount: 1 })
    expect(registry.authenticate(TOKEN).ok).toBe(false)
    expect(registry.authenticate('another-token-0123456789').ok).toBe(true)
  })

  it('keeps the last good tokens when a new file is malformed, and reports it', () => {
    const registry = createTokenRegistry({ text: fileWith(), isDevMode: false, clock })
    const reload = registry.reload('[{]')
    expect(reload.ok).toBe(false)
    expect(reload.ok ? '' : reload.error.code).toBe('TOKENS_INVALID')
    expect(registry.authenticate(TOKEN).ok).toBe(true)
  })

  it('refuses to start without a file outside dev mode', () => {
    expect(() => createTokenRegistry({ isDevMode: false, clock })).toThrow('no token file')
  })

  it('knows dev-token in dev mode alone', () => {
    const dev = createTokenRegistry({ isDevMode: true, clock })
    expect(dev.authenticate('dev-token')).toMatchObject({ ok: true, principal: { name: 'dev', scopes: ['admin:*'] } })
    expect(createTokenRegistry({ text: fileWith(), isDevMode: false, clock }).authenticate('dev-token').ok).toBe(false)
  })

  it('lists tokens without anything that could be presented', () => {
    const listed = createTokenRegistry({ text: fileWith(), isDevMode: false, clock }).list()
    expect(listed).toEqual([{ id: 'ops', scopes: ['approval:*'], agentIds: [] }])
  })
})
