/** Troubleshooting, "gateway won't start": a process that ends at once says which of the three it is. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { startCli } from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'
import { covers } from '#test/support/pages/lines/index.ts'
import { type PageWorld, startPages } from '#test/support/pages/world.ts'

let world: PageWorld
let port: string
let start: (more: Readonly<Record<string, string>>) => ReturnType<PageWorld['shell']['run']>
beforeAll(async () => {
  world = await startPages()
  port = new URL(world.url).port
  start = (more) => world.shell.run('backstop up --data other', { BACKSTOP_PORT: '0', ...more })
})
afterAll(() => world.stop())

covers('T01', 'a second gateway on the same port exits 1 and names the port and BACKSTOP_PORT', async () => {
  const { exitCode, stderr } = await start({ BACKSTOP_PORT: port })
  expect(exitCode).toBe(1)
  expect(stderr).toContain(port)
  expect(stderr).toContain('BACKSTOP_PORT')
})

covers('T02', 'it finds the gateway that holds the port', async () => {
  expect(await world.shell.read('lsof -i ":$PORT"', { PORT: port })).toContain('(LISTEN)')
})

covers('T03', 'the error itself names the port, so that no tool of the system is needed to know it', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const taken = String((other.address() as { port: number }).port)
  const { exitCode, stderr } = await start({ BACKSTOP_PORT: taken })
  await new Promise((resolve) => other.close(resolve))
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(new RegExp(`^Error: .*${taken}`, 'm'))
})

covers('T04', 'the gateway listens there', async () => {
  const free = String(await freePort())
  const running = startCli(['up', '--json', '--data', join(world.folder.path, 'elsewhere')], {
    ...world.environment,
    BACKSTOP_PORT: free,
  })
  await eventually(() => running.stdout().includes(`:${free}`), { timeoutMs: 60_000, what: 'a gateway on that port' })
  expect((await fetch(`http://127.0.0.1:${free}/health`)).status).toBe(200)
  running.child.kill('SIGTERM')
  await running.end
})

covers('T05', 'it answers while the database does', async () => {
  expect(await world.shell.read('psql $BACKSTOP_DB_URL -c "SELECT 1"')).toContain('1')
})

covers('T06', 'it exits 1, hints at psql, and does not repeat the password', async () => {
  const { exitCode, stderr } = await start({ BACKSTOP_DB_URL: 'postgresql://app:hidden-word@127.0.0.1:1/shop' })
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/Hint: .*psql "?\$BACKSTOP_DB_URL"? -c "SELECT 1"/)
  expect(stderr).not.toContain('hidden-word')
})

covers('T07', 'it prints the file; of a broken one it fails, as the gateway does', async () => {
  expect(await world.shell.read('cat $BACKSTOP_TOKENS | python3 -m json.tool')).toContain('"scopes": [')
  const broken = join(world.folder.path, 'broken.json')
  writeFileSync(broken, '[{"id":')
  const BACKSTOP_TOKENS = broken
  expect((await world.shell.run('cat $BACKSTOP_TOKENS | python3 -m json.tool', { BACKSTOP_TOKENS })).exitCode).toBe(1)
  const missing = await start({ BACKSTOP_TOKENS: '/nowhere/tokens.json' })
  expect(missing).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('/nowhere/tokens.json') })
})

covers('T08', 'what is not JSON stops the start, and the error says so', async () => {
  const path = join(world.folder.path, 'malformed.json')
  writeFileSync(path, '[{"id":')
  const { exitCode, stderr } = await start({ BACKSTOP_TOKENS: path })
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(/^Error: .*not valid JSON.*\nHint: {2}.*array/)
})

covers('T09', 'one that is no array stops the start, and the hint says an array', async () => {
  const path = join(world.folder.path, 'object.json')
  writeFileSync(path, '{"token": "x"}')
  const { exitCode, stderr } = await start({ BACKSTOP_TOKENS: path })
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(/^Error: .*array of token objects.*\nHint: {2}.*array/)
})
