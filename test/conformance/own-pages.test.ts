/** Our own troubleshooting page and checklist: every command of them, word for word, on a running product. */
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect } from 'vitest'
import { covers } from '#test/support/pages/lines/index.ts'
import { readPage } from '#test/support/pages/runbook.ts'
import { type BucketWorld, startOnBucket, untilCaptured } from '#test/support/pages/world.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

let world: BucketWorld
let target: TestDatabase
let receiver: Server
let webhook: string
beforeAll(async () => {
  receiver = createServer((incoming, outgoing) => {
    incoming.resume()
    outgoing.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => receiver.once('listening', resolve))
  webhook = `http://127.0.0.1:${(receiver.address() as { port: number }).port}/alerts`
  world = await startOnBucket({ environment: { BACKSTOP_ALERT_WEBHOOK: webhook } })
  target = await createTestDatabase()
  await untilCaptured(world)
  await world.query('TRUNCATE events')
})
afterAll(async () => {
  await world.stop()
  await target.drop()
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
})

async function follow(page: string, atLeast: number): Promise<void> {
  const steps = readPage(page)
  expect(steps.length).toBeGreaterThanOrEqual(atLeast)
  const [point] = (await world.get('/metadata/snapshots?table=users', 'ops')).json
  const environment = {
    BACKSTOP_STORAGE_URL: world.storage,
    BACKSTOP_METADATA_DB: world.metadataPath,
    BACKSTOP_TOKEN: world.environment['ADMIN_TOKEN'] ?? '',
    BACKSTOP_ALERT_WEBHOOK: webhook,
    PREVIOUS_ID: point.snapshot_id,
    TABLE: 'users',
    TARGET: target.url,
  }
  await world.db.run('DROP TABLE IF EXISTS users_recovered, again')
  const wrong: object[] = []
  for (const { script, exitCode } of steps) {
    const end = await world.shell.run(script, environment)
    if (end.exitCode !== exitCode) wrong.push({ script, expected: exitCode, ...end })
  }
  expect(wrong).toEqual([])
}

covers('P01', 'every command ends as the page says', () => follow('troubleshooting.md', 24), 600_000)

covers(
  'P02',
  'every command ends as the page says, and both pages are linked from the first page of the project',
  async () => {
    await follow('production-checklist.md', 9)
    const readme = readFileSync('README.md', 'utf8')
    for (const page of ['docs/troubleshooting.md', 'docs/production-checklist.md']) expect(readme).toContain(page)
  },
  600_000,
)
