/** The ledger over indexes that lag behind, as DynamoDB's do: later is allowed, twice or never is not. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFolderObjectStore } from '#lib/adapters/embedded/index.ts'
import { systemRandom } from '#lib/adapters/system/index.ts'
import type { OpenAuditLedger } from '#lib/gate/audit/index.ts'
import { exportLedger, openAuditLedger, verifyLedger } from '#lib/gate/audit/index.ts'
import { statement } from '#test/support/audit/ledger-bench.ts'
import type { LaggingStore } from '#test/support/cloud/lagging-index.ts'
import { openLaggingStore } from '#test/support/cloud/lagging-index.ts'
import { createFixedClock, type FixedClock } from '#test/support/fixed-clock.ts'

let folder: string
let clock: FixedClock
let records: LaggingStore
let ledger: OpenAuditLedger
let ports: Parameters<typeof verifyLedger>[0]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-lag-'))
  clock = createFixedClock()
  records = openLaggingStore(clock)
  const objects = await openFolderObjectStore({ root: folder, clock, random: systemRandom })
  ports = { records, objects, clock, environment: 'test', retentionDays: 90 }
  ledger = openAuditLedger({ ...ports, random: systemRandom })
})
afterEach(async () => {
  await records.close()
  await rm(folder, { recursive: true })
})

async function run(text: string): Promise<void> {
  const id = await ledger.begin(statement(text))
  clock.advance(7)
  await ledger.finish(id, { outcome: 'executed' })
  clock.advance(7)
}

describe('the ledger, while its indexes lag', () => {
  it('seals later what the index does not show yet, and nothing twice', async () => {
    for (let n = 0; n < 5; n++) await run(`SELECT ${n}`)
    expect(await ledger.sealDue()).toMatchObject({ segments: [], entryCount: 0 })
    await records.catchUp()
    for (let n = 5; n < 8; n++) await run(`SELECT ${n}`)
    expect(await ledger.sealDue()).toMatchObject({ segments: [1], entryCount: 10 })
    expect(await ledger.sealDue()).toMatchObject({ segments: [], entryCount: 0 })
    await records.catchUp()
    expect(await ledger.sealDue()).toMatchObject({ segments: [2], entryCount: 6 })
    expect(await verifyLedger(ports)).toMatchObject({ ok: true, problems: [] })
  })

  it('raises no alarm when it is verified before, between and after', async () => {
    const verify = async () => expect((await verifyLedger(ports)).problems).toEqual([])
    await run('SELECT 1')
    await verify()
    await records.catchUp()
    await verify()
    await ledger.sealDue()
    await verify()
    await run('SELECT 2')
    await verify()
    await records.catchUp()
    await verify()
  })

  it('exports nothing twice', async () => {
    await run('SELECT 1')
    await records.catchUp()
    await ledger.sealDue()
    let text = ''
    for await (const line of exportLedger(ports, { format: 'jsonl' })) text += line
    expect(text.match(/SELECT 1/g)).toHaveLength(1)
  })

  it('counts and closes open events without an index', async () => {
    await ledger.begin(statement('SELECT 1'))
    expect(await ledger.countOpen()).toBe(1)
    expect(await ledger.reconcile(0)).toBe(1)
    expect(await ledger.countOpen()).toBe(0)
  })
})
