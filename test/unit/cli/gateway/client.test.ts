import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openGateway } from '#lib/cli/gateway/index.ts'

describe('the client of a gateway', () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('{}')
  })
  let origin: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => server.close())

  it.each([
    ['', '/pending', '/pending'],
    ['/', '/', '/'],
    ['/prod', '/metadata/audit?limit=1', '/prod/metadata/audit?limit=1'],
    ['/prod/', '/', '/prod/'],
  ])('asks a gateway under "%s" for %s at %s', async (base, path, expected) => {
    await openGateway({ url: `${origin}${base}`, token: 'a-token' }).send('GET', path)
    expect(asked.pop()).toBe(expected)
  })
})
