/** A session of the gateway itself that the server shows before the gateway has heard of it is nobody past the gate. */
import { stat } from 'node:fs'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'

/** Longer than the look waits for the answer to a connection that it has not heard of. */
const STANDS_STILL_MS = 1_000

let db: TestDatabase
let slice: TestRecovery
let own: Client
beforeEach(async () => {
  db = await createTestDatabase()
  slice = await openTestRecovery(db.database)
  own = new Client({ connectionString: db.url })
  await own.connect()
})
afterEach(async () => {
  await own?.end()
  await slice?.close()
  await db?.drop()
})

/** A look in which, after the list of sessions has come, the process stands still, and hears only then what came meanwhile. */
async function lookStandingStill(heard: () => void) {
  let asked = 0
  const known: number[] = []
  const standStill = () => {
    stat('/', () => {
      heard()
      known.push((own as unknown as { processID: number }).processID)
    })
    const until = performance.now() + STANDS_STILL_MS
    while (performance.now() < until);
  }
  return await slice.recovery.runWatch({
    agentRoles: [],
    ownProcessIds: () => {
      asked += 1
      if (asked === 2) setImmediate(standStill)
      return known
    },
  })
}

test('is known although the process stood still while the server answered', async () => {
  let isHeard = false
  const report = await lookStandingStill(() => {
    isHeard = true
  })
  expect(isHeard).toBe(true)
  expect(report.sessions).toEqual([])
})
