/** The guided recovery of several tables at one instant, by a person who answers by script and in a script, against a real database. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/adapters/system/index.ts'
import { recoverSet, type SetFlags } from '#lib/cli/recover/recover-set.ts'
import { Cancelled } from '#lib/cli/terminal/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { runInProcess } from '#test/support/cli/fake-io.ts'
import { person } from '#test/support/cli/person.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'
import { openTestRecovery, type TestRecovery } from '#test/support/recovery/open.ts'

const SEED = `
  CREATE TABLE orders (id integer PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20);
  CREATE TABLE lines (id integer PRIMARY KEY, "order" integer REFERENCES orders); INSERT INTO lines SELECT i, i FROM generate_series(1, 20) i;
  CREATE TABLE logs (id integer PRIMARY KEY); CREATE TABLE marks (id integer PRIMARY KEY)`
const NOTHING_SAID: SetFlags = {
  setId: undefined,
  table: undefined,
  at: undefined,
  schema: undefined,
  suffix: undefined,
  conflictPolicy: undefined,
  isUnattended: false,
  isDryRun: false,
  copybackFile: undefined,
}
const named = (name: string) => ({ schema: 'public', name })
const SHOP = [named('orders'), named('lines')]
const OTHERS = [named('logs'), named('marks')]

let db: TestDatabase
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database, { clock: systemClock })
})
afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

const take = async (relations: typeof SHOP, { recovery } = slice): Promise<readonly RecoveryPoint[]> =>
  await recovery.captureSet(relations, 'manual')
const recover = (flags: Partial<SetFlags>, { context }: ReturnType<typeof person>) =>
  recoverSet(slice.recovery, { ...NOTHING_SAID, ...flags }, context)
const tables = async () =>
  (
    await db.run(`SELECT n.nspname || '.' || relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND (relname LIKE '%recovered' OR nspname = 'rescue') ORDER BY 1`)
  ).map(({ name }) => name)

async function cli(...words: string[]) {
  const environment = {
    BACKSTOP_DB_URL: db.url,
    BACKSTOP_STORAGE_URL: `file://${join(slice.folder, 'objects')}`,
    BACKSTOP_METADATA_DB: join(slice.folder, 'records.db'),
  }
  const { exitCode, stdout, stderr } = await runInProcess(['recover', ...words, '--json'], { environment })
  return { exitCode, body: JSON.parse(stdout === '' ? stderr : stdout) }
}

describe('recover a set at a terminal', () => {
  test('asks which of the valid sets, where to, and whether to go on; then all of it is there with its keys', async () => {
    await take(SHOP)
    await take(OTHERS)
    await db.run('DROP TABLE lines; TRUNCATE orders')
    const someone = person([1, 'rescue', true])
    const result = await recover({}, someone)
    expect(someone.asked.map(({ question }) => question)).toEqual([
      'Which set?',
      'Into which schema? It is made where it is not there',
      'Restore now?',
    ])
    expect(someone.asked[0]?.choices?.map(({ label }) => label.split(', ').slice(1))).toEqual([
      ['public.logs', 'public.marks'],
      ['public.lines', 'public.orders'],
    ])
    expect(JSON.stringify(someone.shown)).toContain('"originals","are not touched"')
    expect(result).toMatchObject({ ok: true, data: { created_schema: 'rescue', keys: [expect.any(String)] } })
    expect(await tables()).toEqual(['rescue.lines', 'rescue.orders'])
    expect(JSON.stringify(result.blocks)).toContain('Way back: read it, then run it')
  })

  test('nothing is restored when the person says no, or presses Ctrl-C, and beside the originals is what Enter means', async () => {
    await take(SHOP)
    await expect(recover({}, person(['', false]))).rejects.toThrow(Cancelled)
    await expect(recover({ table: 'orders', schema: 'rescue' }, person([]))).rejects.toThrow(Cancelled)
    expect(await tables()).toEqual([])
    await recover({}, person(['', true]))
    expect(await tables()).toEqual(['public.lines_recovered', 'public.orders_recovered'])
  })

  test('a set of which a member is set aside is not offered, and says so when none is left', async () => {
    const [first] = await take(SHOP)
    await slice.recovery.quarantine(first?.snapshotId as `snap_${string}`, 'a part is missing')
    await expect(recover({}, person([]))).rejects.toMatchObject({
      code: 'SET_INVALID',
      message: expect.stringContaining('a part is missing'),
    })
    await take(SHOP)
    await recover({ table: 'lines' }, person(['', true]))
    expect(await tables()).toHaveLength(2)
  })
})

describe('recover a set in a script', () => {
  test('takes the newest valid set with the table, and a dry run changes nothing', async () => {
    await take(SHOP)
    await take(SHOP)
    await take(OTHERS)
    const { sets } = await slice.recovery.sets.list()
    const newest = sets.find(({ members }) => members.some(({ relation }) => relation.name === 'orders'))?.setId
    const words = ['--type', 'set', '--table', 'orders', '--non-interactive']
    expect(await cli(...words, '--dry-run')).toMatchObject({
      exitCode: 0,
      body: { set_id: newest, dry_run: true, copyback: null },
    })
    expect(await tables()).toEqual([])
    expect(await cli(...words, '--suffix', '_recovered')).toMatchObject({
      exitCode: 0,
      body: { set_id: newest, dry_run: false, members: [{ row_count: 20 }, { row_count: 20 }] },
    })
    expect(await tables()).toHaveLength(2)
  })

  test('a set that is named needs no type; the restored tables are not overwritten', async () => {
    await take(SHOP)
    await take(OTHERS)
    const { sets } = await slice.recovery.sets.list()
    const setId = String(sets[1]?.setId)
    expect((await cli('--set-id', setId, '--yes', '--schema', 'rescue')).body).toMatchObject({
      created_schema: 'rescue',
    })
    expect(await cli('--set-id', setId, '--yes', '--schema', 'rescue')).toMatchObject({
      exitCode: 1,
      body: { error: { code: 'RESTORE_TARGET_EXISTS' } },
    })
  })

  test('an instant picks the newest set that is not later', async () => {
    const early = await openTestRecovery(db.database, {
      folder: slice.folder,
      clock: createFixedClock(Date.parse('2026-01-01T00:00:00.000Z')),
    })
    const [point] = await take(SHOP, early)
    await early.close()
    await take(SHOP)
    const words = ['--type', 'set', '--yes', '--dry-run', '--at']
    expect((await cli(...words, '2026-01-01T00:00:00Z')).body).toMatchObject({ set_id: point?.setId })
    expect((await cli(...words, '2025-01-01T00:00:00Z')).body).toMatchObject({ error: { code: 'SET_MISSING' } })
  })

  test('what is not clear, does not fit or is not there is refused', async () => {
    await take(SHOP)
    await take(OTHERS)
    const refusal = async (...words: string[]) => {
      const { exitCode, body } = await cli(...words)
      return [exitCode, body.error.code]
    }
    expect(await refusal('--type', 'set', '--yes')).toEqual([2, 'USAGE_INVALID'])
    expect(await refusal('--type', 'set', '--yes', '--set-id', 'set_1')).toEqual([2, 'USAGE_INVALID'])
    expect(await refusal('--type', 'set', '--yes', '--target-table', 'x')).toEqual([2, 'USAGE_INVALID'])
    expect(await refusal('--table', 'orders', '--yes', '--schema', 'x')).toEqual([2, 'USAGE_INVALID'])
    expect(await refusal('--type', 'table', '--set-id', `set_${'0'.repeat(32)}`, '--yes')).toEqual([2, 'USAGE_INVALID'])
    expect(await refusal('--set-id', `set_${'0'.repeat(32)}`, '--yes')).toEqual([1, 'SET_MISSING'])
    expect(await refusal('--type', 'set', '--table', 'nowhere', '--yes')).toEqual([1, 'SET_MISSING'])
  })
})
