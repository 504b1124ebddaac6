/** Sets on the command line: taken, listed without a database, restored, and put back by the script that is written. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeTemporaryFolder, runCliJson, runCliProcess } from '#test/support/cli/run-cli.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

const SEED = `
  CREATE TABLE customer (id integer PRIMARY KEY);
  CREATE TABLE "Order" (id integer PRIMARY KEY, customer integer REFERENCES customer);
  CREATE TABLE line (id integer PRIMARY KEY, "order" integer REFERENCES "Order" ON DELETE CASCADE);
  CREATE TABLE alone (id integer PRIMARY KEY);
  INSERT INTO customer SELECT i FROM generate_series(1, 5) i;
  INSERT INTO "Order" SELECT i, 1 + i % 5 FROM generate_series(1, 50) i;
  INSERT INTO line SELECT i, 1 + i % 50 FROM generate_series(1, 400) i;
`
const CONTENT = `SELECT (SELECT count(*)::int FROM customer) AS customers, (SELECT sum(customer)::int FROM "Order") AS orders,
  (SELECT sum("order")::int FROM line) AS lines`

let database: TestDatabase
let folder: TemporaryFolder
let environment: Record<string, string>

beforeAll(async () => {
  database = await createTestDatabase(SEED)
  folder = makeTemporaryFolder()
  environment = { BACKSTOP_DB_URL: database.url, BACKSTOP_STORAGE_URL: `file://${join(folder.path, 'backups')}` }
})
afterAll(async () => {
  await database?.drop()
  folder?.remove()
})

test('a dry run names the tables, their keys and their order, and takes nothing', async () => {
  const { exitCode, data } = await runCliJson(['sets', 'take', '--connected', '"Order"', '--dry-run'], environment)
  expect({ exitCode, members: data.plans[0].members }).toEqual({
    exitCode: 0,
    members: ['public.customer', 'public.Order', 'public.line'],
  })
  expect(data.plans[0].keys.inside.map(({ name }: { name: string }) => name)).toEqual([
    'Order_customer_fkey',
    'line_order_fkey',
  ])
})

test('a set is taken, listed from the storage alone, restored after a loss and put back', async () => {
  const before = await database.run(CONTENT)
  const taken = await runCliJson(['sets', 'take', '--tables', 'customer,"Order", line'], environment)
  expect(taken.exitCode).toBe(0)
  const [set] = taken.data.sets
  expect(set).toMatchObject({ status: 'valid', selection: 'tables', origin: 'manual' })
  await database.run('DROP TABLE "Order" CASCADE; TRUNCATE line')

  const listed = await runCliJson(['sets', 'list'], { BACKSTOP_STORAGE_URL: environment['BACKSTOP_STORAGE_URL'] })
  expect(listed.data.sets.map((one: { set_id: string }) => one.set_id)).toEqual([set.set_id])
  expect(listed.data.sets[0].members.map(({ row_count }: { row_count: number }) => row_count)).toEqual([5, 50, 400])

  const dry = await runCliJson(['sets', 'restore', '--set-id', set.set_id, '--dry-run'], environment)
  expect(dry.data).toMatchObject({ dry_run: true, copyback: null })
  expect(await database.run(`SELECT FROM pg_class WHERE relname LIKE '%\\_recovered'`)).toEqual([])

  const script = join(folder.path, 'back.sql')
  const restored = await runCliJson(
    ['sets', 'restore', '--set-id', set.set_id, '--schema', 'rescue', '--copyback-file', script],
    environment,
  )
  expect(restored.exitCode).toBe(0)
  expect(restored.data).toMatchObject({ lsn: set.lsn, created_schema: 'rescue', dry_run: false })
  expect(restored.data.copyback.members).toEqual([
    { table: 'public.customer', recovered: 'rescue.customer', action: 'nothing-to-do' },
    { table: 'public.Order', recovered: 'rescue.Order', action: 'replace-missing-table' },
    { table: 'public.line', recovered: 'rescue.line', action: 'bring-back-rows' },
  ])
  await database.run(readFileSync(script, 'utf8'))
  expect(await database.run(CONTENT)).toEqual(before)
  const keys = await database.run(
    `SELECT conname, confrelid::regclass::text AS refers FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1`,
  )
  expect(keys).toEqual([
    { conname: 'Order_customer_fkey', refers: 'customer' },
    { conname: 'line_order_fkey', refers: '"Order"' },
  ])
  await database.run('DROP SCHEMA rescue CASCADE')
})

test('a recovery group of the policy is taken by its name', async () => {
  const policy = join(folder.path, 'policy.json')
  writeFileSync(policy, JSON.stringify({ recovery_groups: { shop: ['Order', 'line', 'not_there'] } }))
  const { data } = await runCliJson(['sets', 'take', '--group', 'shop', '--policy', policy], environment)
  expect(data.sets[0]).toMatchObject({ selection: 'group', group: 'shop' })
  expect(data.sets[0].members.map(({ table }: { table: string }) => table)).toEqual(['Order', 'line'])
  const unknown = await runCliJson(['sets', 'take', '--group', 'shops', '--policy', policy], environment)
  expect(unknown).toMatchObject({ exitCode: 2, data: { error: { code: 'USAGE_INVALID' } } })
})

test('for people the keys, the tables and the way back are said', async () => {
  const { data } = await runCliJson(['sets', 'take', '--dependencies', 'line'], environment)
  const shown = await runCliProcess(
    ['sets', 'restore', '--set-id', data.sets[0].set_id, '--suffix', '_again'],
    environment,
  )
  expect(shown.exitCode).toBe(0)
  expect(shown.stdout).toContain('3 tables with 455 rows are restored as they were at LSN')
  expect(shown.stdout).toContain('foreign key line_order_fkey of public.line_again')
  expect(shown.stdout).toContain('Nothing to do')
})

test.for<readonly [string, readonly string[], number]>([
  ['no selection', ['sets', 'take'], 2],
  ['two selections', ['sets', 'take', '--tables', 'line', '--connected', 'line'], 2],
  ['a word that is no set', ['sets', 'restore', '--set-id', 'set_1'], 2],
  ['a set that is not there', ['sets', 'restore', '--set-id', `set_${'0'.repeat(32)}`], 1],
  ['a table that is not there', ['sets', 'take', '--tables', 'nowhere'], 1],
])('%s is refused', async ([, words, exitCode]) => {
  expect((await runCliJson([...words], environment)).exitCode).toBe(exitCode)
})

test('a set of which a member is gone from the storage is listed as invalid, with the reason', async () => {
  const { data } = await runCliJson(['sets', 'take', '--tables', 'alone,customer'], environment)
  const [set] = data.sets
  const lost = set.members.find(({ table }: { table: string }) => table === 'alone')
  rmSync(join(folder.path, 'backups', 'snapshots', 'public', 'alone', lost.snapshot_id), { recursive: true })
  const listed = await runCliJson(['sets', 'list'], { BACKSTOP_STORAGE_URL: environment['BACKSTOP_STORAGE_URL'] })
  const found = listed.data.sets.find((one: { set_id: string }) => one.set_id === set.set_id)
  expect(found).toMatchObject({ status: 'invalid', problem: expect.stringContaining(lost.snapshot_id) })
  const restored = await runCliJson(['sets', 'restore', '--set-id', set.set_id], environment)
  expect(restored).toMatchObject({ exitCode: 1, data: { error: { code: 'SET_INVALID' } } })
})
