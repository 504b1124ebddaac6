import { expect, test } from 'vitest'
import { readConfig } from '#lib/runtime/index.ts'

const read = (environment: Record<string, string>) => readConfig(environment, '/nowhere')

test.for([
  [{}, 9_091, false],
  [{ BACKSTOP_PORT: '0' }, 0, false],
  [{ BACKSTOP_SYNC_PORT: '9200' }, 9_200, true],
  [{ BACKSTOP_SYNC_PORT: 'off' }, undefined, true],
] as const)('with %j the health of the background is at port %s', ([environment, port, isGiven]) => {
  const { syncPort, isSyncPortGiven, syncHost } = read(environment)
  expect([syncPort, isSyncPortGiven, syncHost]).toEqual([port, isGiven, '127.0.0.1'])
})

test.for([
  ['', []],
  ['https://a.example/x', ['https://a.example/x']],
  [' https://a.example/x,y  slack+https://b.example/z ', ['https://a.example/x,y', 'slack+https://b.example/z']],
  ['https://a.example/x, https://b.example/y', ['https://a.example/x', 'https://b.example/y']],
] as const)('reads the webhooks %s', ([text, expected]) => {
  expect(read({ BACKSTOP_ALERT_WEBHOOK: text }).alertWebhooks).toEqual(expected)
})

test.for(['ftp://x', 'slack+ftp://x', 'not an address', 'https://ok.example secret-word'])(
  'refuses %s without showing it',
  (text) => {
    const refuse = () => read({ BACKSTOP_ALERT_WEBHOOK: text })
    expect(refuse).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(refuse).not.toThrow('secret-word')
  },
)
