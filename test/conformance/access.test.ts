/** Troubleshooting, 401, 403 and the dev token; checklist, access: who comes in, and with what. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { eventually } from '#test/support/eventually.ts'
import { TOKENS } from '#test/support/pages/guarded.ts'
import { covers } from '#test/support/pages/lines/index.ts'
import { type PageWorld, startPages } from '#test/support/pages/world.ts'

let world: PageWorld
let careless: PageWorld
beforeAll(async () => {
  world = await startPages()
  careless = await startPages({ environment: { BACKSTOP_DEV_MODE: 'true' } })
})
afterAll(async () => {
  await world.stop()
  await careless.stop()
})

const HEALTH_AS_DEV = 'curl -s -w "\\n%{http_code}" $BACKSTOP_URL/health -H "Authorization: Bearer dev-token"'
const NOBODY = 'appr_00000000000000000000000000000000'

covers('T10', 'it answers 401, and the body says so', async () => {
  expect(await world.fetch('/pending')).toMatchObject({ status: 401, json: { error: 'unauthorized' } })
})

covers('T11', 'it answers 401', async () => {
  const reply = await world.fetch('/pending', { authorization: `Bearer ${TOKENS.operator}x` })
  expect(reply).toMatchObject({ status: 401, json: { error: 'unauthorized' } })
})

covers('T12', 'it answers 401 until the file has it, then 200, without a restart', async () => {
  const authorization = 'Bearer a-token-that-is-added-later'
  expect((await world.fetch('/pending', { authorization })).status).toBe(401)
  const entries = JSON.parse(readFileSync(world.tokensPath, 'utf8')) as object[]
  const added = { id: 'late', token: 'a-token-that-is-added-later', scopes: ['approval:read'] }
  writeFileSync(world.tokensPath, JSON.stringify([...entries, added]))
  // Slowly: an address that brings wrong tokens all the time is refused for a while.
  await eventually(async () => (await world.fetch('/pending', { authorization })).status === 200, { everyMs: 500 })
})

covers('T13', 'it lists the tokens of the file that is in use', async () => {
  expect(await world.shell.read("cat $BACKSTOP_TOKENS | jq '.[] | .token'")).toContain(JSON.stringify(TOKENS.agent))
})

covers('T14', 'it answers for a token that is known', async () => {
  const answer = await world.shell.read('curl -s -H "Authorization: Bearer $AGENT_TOKEN" $BACKSTOP_URL/health')
  expect(JSON.parse(answer)).toMatchObject({ status: 'ok' })
})

covers('T15', 'it answers 200 without any header', async () => {
  expect(await world.fetch('/health')).toMatchObject({ status: 200, json: { status: 'ok' } })
})

covers('T16', 'the other two schemes are 401, and the message says Bearer', async () => {
  for (const scheme of ['Token', 'Basic']) {
    const reply = await world.fetch('/health', { authorization: `${scheme} ${TOKENS.agent}` })
    expect(reply).toMatchObject({ status: 401, json: { error: 'unauthorized' } })
    expect(reply.json.message).toContain('Bearer')
  }
})

covers('T17', 'the body has these three members, literally', async () => {
  const { status, json } = await world.post(`/approve/${NOBODY}`, 'agent')
  expect({ status, json }).toEqual({
    status: 403,
    json: {
      error: 'insufficient_scope',
      message: 'Token does not have approval:write scope',
      required_scope: 'approval:write',
    },
  })
})

covers('T18', 'the token is let in once the file has the scope; it needs not even the restart', async () => {
  expect((await world.get('/pending', 'ops')).status).toBe(403)
  const text = readFileSync(world.tokensPath, 'utf8')
  writeFileSync(world.tokensPath, text.replace('"metadata:read"', '"metadata:read","approval:read"'))
  await eventually(async () => (await world.get('/pending', 'ops')).status === 200)
  writeFileSync(world.tokensPath, text)
  await eventually(async () => (await world.get('/pending', 'ops')).status === 403)
})

covers('T19', 'the same request is answered', async () => {
  expect((await world.get('/pending', 'agent')).status).toBe(403)
  expect((await world.get('/pending', 'operator')).status).toBe(200)
})

covers('T68', 'the line of the page gives 200 there, and /admin/status says why', async () => {
  expect((await careless.shell.read(HEALTH_AS_DEV)).trim()).toMatch(/200$/)
  expect(await careless.get('/admin/status', 'admin')).toMatchObject({ json: { dev_mode: true } })
})

covers('T69', 'the line of the page gives 401', async () => {
  expect((await world.shell.read(HEALTH_AS_DEV)).trim()).toMatch(/401$/)
})

covers('C01', 'the line answers 200', async () => {
  expect(JSON.parse(await world.shell.read('curl -fsS $BACKSTOP_URL/health'))).toMatchObject({ status: 'ok' })
})

covers('C02', 'a file in which two share a token, or an id, stops the start', async () => {
  const [first] = JSON.parse(readFileSync(world.tokensPath, 'utf8')) as { id: string }[]
  const path = join(world.folder.path, 'shared.json')
  for (const entries of [
    [first, { ...first, id: 'another' }],
    [first, { ...first, token: 'another-token-of-its-own' }],
  ]) {
    writeFileSync(path, JSON.stringify(entries))
    const end = await world.shell.run('backstop up --data other --port 0', { BACKSTOP_TOKENS: path })
    expect(end).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/same token|have the id/) })
  }
})

covers('C03', 'such a token executes and analyzes, and is refused everything else', async () => {
  const answer = await world.query('SELECT 1 AS one')
  expect(answer, JSON.stringify(answer)).toMatchObject({ status: 'executed' })
  for (const path of ['/pending', '/metadata/audit', '/metadata/health', '/admin/status', '/metrics']) {
    expect((await world.get(path, 'agent')).status).toBe(403)
  }
  for (const path of [`/approve/${NOBODY}`, `/deny/${NOBODY}`, '/admin/pause', '/admin/snapshot?table=users']) {
    expect((await world.post(path, 'agent')).status).toBe(403)
  }
})

covers('C04', '/admin/status says whether it is, and the dev token is refused when it is not', async () => {
  expect((await world.get('/admin/status', 'admin')).json).toMatchObject({ dev_mode: false })
  expect((await world.fetch('/health', { authorization: 'Bearer dev-token' })).status).toBe(401)
})

covers('C05', 'a file that has it stops the start', async () => {
  const path = join(world.folder.path, 'dev.json')
  writeFileSync(path, JSON.stringify([{ id: 'dev', token: 'dev-token', scopes: ['admin:*'] }]))
  const end = await world.shell.run('backstop up --data other --port 0', { BACKSTOP_TOKENS: path })
  expect(end).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('dev-token works in dev mode only') })
})
