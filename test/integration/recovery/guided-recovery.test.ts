/** The guided recovery of a table, with a person who answers by script, against a real database. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/adapters/system/index.ts'
import type { CommandContext } from '#lib/cli/frame/index.ts'
import { recoverTable, type TableFlags } from '#lib/cli/recover/recover-table.ts'
import { Cancelled } from '#lib/cli/terminal/index.ts'
import { person } from '#test/support/cli/person.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'

const SEED = `
  CREATE TABLE payments (id integer PRIMARY KEY, amount numeric); INSERT INTO payments SELECT i, i FROM generate_series(1, 50) i;
  CREATE TABLE "Odd Name" (id integer PRIMARY KEY); INSERT INTO "Odd Name" VALUES (1);
  CREATE TABLE never_taken (id integer)`
const NOTHING_SAID: TableFlags = {
  table: undefined,
  snapshotId: undefined,
  at: undefined,
  targetTable: undefined,
  conflictPolicy: undefined,
  isUnattended: false,
  isDryRun: false,
  copybackFile: undefined,
}

let db: TestDatabase
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database, { clock: systemClock })
  for (const name of ['payments', 'Odd Name']) await slice.recovery.capture({ schema: 'public', name }, 'manual')
})
afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

const count = async (table: string) => (await db.run(`SELECT count(*)::integer AS count FROM ${table}`))[0]?.['count']
const recover = (flags: Partial<TableFlags>, { context }: { readonly context: CommandContext }) =>
  recoverTable(slice.recovery, { ...NOTHING_SAID, ...flags }, context)

describe('recover at a terminal', () => {
  test('asks for the table among those with valid points, the name of the target, and whether to go on', async () => {
    const someone = person([1, '', true])
    const result = await recover({}, someone)
    expect(someone.asked.map(({ question }) => question)).toEqual([
      'Which table? Type to narrow the list',
      'Restore into which table?',
      'Restore now?',
    ])
    expect(someone.asked[0]?.choices?.map(({ label }) => label)).toEqual(['public.Odd Name', 'public.payments'])
    expect(someone.asked[0]?.choices?.[1]?.hint).toMatch(/^newest \d+\w old, 50 rows$/)
    expect(JSON.stringify(someone.shown)).toContain('"original","is not touched"')
    expect(result.ok).toBe(true)
    expect(await count('payments_recovered')).toBe(50)
    expect(JSON.stringify(result.blocks)).toContain('Next steps')
  })

  test('nothing is restored when the person says no, or presses Ctrl-C', async () => {
    await expect(recover({}, person([1, '', false]))).rejects.toThrow(Cancelled)
    await expect(recover({}, person([]))).rejects.toThrow(Cancelled)
    expect(await db.run(`SELECT to_regclass('payments_recovered') AS found`)).toEqual([{ found: null }])
  })

  test('tells at once that the original is no target', async () => {
    const someone = person(['public.payments', true])
    await expect(recover({ table: 'payments' }, someone)).rejects.toMatchObject({ code: 'RESTORE_OVER_SOURCE' })
    expect(someone.asked[0]?.problem).toBe('refusing to restore over the original table')
  })

  test('asks what becomes of a table that is there, and does that', async () => {
    await recover({ table: 'payments', isUnattended: true }, person([]))
    await db.run('DELETE FROM payments_recovered WHERE id > 40; UPDATE payments_recovered SET amount = 0 WHERE id = 1')
    await expect(recover({ table: 'payments' }, person(['', 0]))).rejects.toThrow(Cancelled)
    const someone = person(['', 1, true])
    expect((await recover({ table: 'payments' }, someone)).data).toMatchObject({
      conflict_policy: 'skip',
      inserted_rows: 10,
    })
    expect(someone.asked[1]?.question).toBe('public.payments_recovered exists. What now?')
    expect(await db.run('SELECT amount::text FROM payments_recovered WHERE id = 1')).toEqual([{ amount: '0' }])
    await recover({ table: 'payments' }, person(['', 2, true]))
    expect(await db.run('SELECT amount::text FROM payments_recovered WHERE id = 1')).toEqual([{ amount: '1' }])
  })

  test('offers no point that is set aside, and says so when none is left', async () => {
    const page = await slice.recovery.list({ relation: { schema: 'public', name: 'payments' } })
    for (const { snapshotId } of page.points) await slice.recovery.quarantine(snapshotId, 'a part is missing')
    const someone = person([0, '', true])
    await recover({}, someone)
    expect(someone.asked[0]?.choices?.map(({ label }) => label)).toEqual(['public.Odd Name'])
    await expect(recover({ table: 'payments' }, person([]))).rejects.toMatchObject({
      code: 'SNAPSHOT_NONE_VALID',
      message: expect.stringContaining('none of the 1 that are there can be trusted'),
    })
  })

  test('names the tables that a misspelt name may have meant', async () => {
    const refusal = (table: string) => recover({ table }, person([])).catch((error: Error) => error.message)
    expect(await refusal('paymnets')).toBe(
      'no valid snapshots of paymnets: there is none at all; did you mean public.payments?',
    )
    expect(await refusal('odd_name')).toContain('did you mean public.Odd Name?')
    expect(await refusal('something_else')).toBe('no valid snapshots of something_else: there is none at all')
  })
})

describe('which point', () => {
  const PAYMENTS = { schema: 'public', name: 'payments' }

  test('an instant picks the newest point that is not later; a point from the future is never the newest', async () => {
    const folder = slice.folder
    const at = async (time: string) => {
      const other = await openTestRecovery(db.database, { folder, clock: createFixedClock(Date.parse(time)) })
      const point = await other.recovery.capture(PAYMENTS, 'manual')
      await other.close()
      return point.snapshotId
    }
    const early = await at('2026-01-01T00:00:00.000Z')
    const middle = await at('2026-01-01T06:00:00.000Z')
    const future = await at('2199-01-01T00:00:00.000Z')
    const picked = async (flags: Partial<TableFlags>) => {
      const someone = person([])
      const context = { ...someone.context, ask: undefined } as unknown as CommandContext
      const result = await recoverTable(
        slice.recovery,
        { ...NOTHING_SAID, table: 'payments', isUnattended: true, isDryRun: true, ...flags },
        context,
      )
      return (result.data as { snapshot_id: string }).snapshot_id
    }
    expect(await picked({ at: '2026-01-01T05:59:59Z' })).toBe(early)
    expect(await picked({ at: '2026-01-01 08:00:00+02' })).toBe(middle)
    expect(await picked({})).not.toBe(future)
    await expect(picked({ at: '2025-01-01T00:00:00Z' })).rejects.toMatchObject({ code: 'SNAPSHOT_NONE_VALID' })
    await expect(picked({ at: 'yesterday' })).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    const someone = person([0, '', false])
    await expect(recover({ table: 'payments' }, someone)).rejects.toThrow(Cancelled)
    const labels = someone.asked[0]?.choices?.map(({ label }) => label) ?? []
    expect(labels.at(-1)).toContain('dated in the future by a wrong clock')
    expect(labels).toHaveLength(4)
  })
})
