import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/adapters/system/index.ts'
import { createWebhookTargets, decodeWebhookSettings } from '#lib/adapters/webhook/index.ts'

describe('the settings of webhooks', () => {
  it('list webhooks, signed with the one secret', async () => {
    const text = '{"signing_secret":"s3cret","webhooks":[{"name":"ops","url":"https://example.com/hook"}]}'
    const { webhooks, secrets } = decodeWebhookSettings(text)
    expect(webhooks).toEqual([{ name: 'ops', url: 'https://example.com/hook', secretName: 'signing_secret' }])
    expect(await secrets.get('signing_secret')).toBe('s3cret')
    await expect(secrets.get('another')).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })

  it('sign nothing without a secret', () => {
    const { webhooks } = decodeWebhookSettings('{"webhooks":[{"name":"ops","url":"https://example.com/hook"}]}')
    expect(webhooks).toEqual([{ name: 'ops', url: 'https://example.com/hook' }])
  })

  it.each([
    ['s3cret', 'it is not JSON'],
    ['null', 'it needs a list "webhooks"'],
    ['{"signing_secret":"s3cret"}', 'it needs a list "webhooks"'],
    ['{"webhooks":[{"url":"https://s3cret"}]}', 'each webhook needs a "name"'],
    ['{"webhooks":[{"name":"a b","url":"https://s3cret"}]}', 'each webhook needs a "name"'],
    ['{"webhooks":[null]}', 'each webhook needs a "name"'],
    ['{"signing_secret":["s3cret"],"webhooks":[]}', 'its "signing_secret" must be a text'],
    ['{"signing_secret":"","webhooks":[]}', 'its "signing_secret" must be a text'],
  ])('are refused when they are %s, without being shown', (text, reason) => {
    const refuse = () => decodeWebhookSettings(text)
    expect(refuse).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(refuse).toThrow(reason)
    expect(refuse).not.toThrow('s3cret')
  })

  it('make no targets of one name, and none of an address that is not on the web', () => {
    const secrets = { find: async () => undefined, get: async () => '' }
    const open = (...urls: string[]) =>
      createWebhookTargets(
        { secrets, clock: systemClock },
        urls.map((url) => ({ name: 'ops', url })),
      )
    expect(open('https://example.com/').map(({ name }) => name)).toEqual(['ops'])
    expect(() => open('https://example.com/', 'https://example.com/')).toThrow('two webhooks have the same name')
    expect(() => open('file:///etc/passwd')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
