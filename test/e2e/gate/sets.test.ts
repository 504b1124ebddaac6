/** Tables that are only of use together, through the whole gate: secured, destroyed and brought back at one instant. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { SetId } from '#lib/kernel/index.ts'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'
import { keepMovingMoney } from '#test/support/recovery/money.ts'

const SEED = `
  CREATE TABLE checking (id integer PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE savings (id integer PRIMARY KEY, balance bigint NOT NULL);
  CREATE TABLE transfer (id bigserial PRIMARY KEY, account integer NOT NULL REFERENCES checking (id), amount bigint NOT NULL);
  CREATE TABLE elsewhere (id integer PRIMARY KEY);
  INSERT INTO checking SELECT i, 1000 FROM generate_series(1, 100) i;
  INSERT INTO savings SELECT i, 0 FROM generate_series(1, 100) i;
`
const TOTAL = 100_000

let t: TestProduct
let folder: string

async function start(policy: object): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'backstop-policy-'))
  const path = join(folder, 'policy.json')
  writeFileSync(path, JSON.stringify(policy))
  t = await startTestProduct({ seedSql: SEED, environment: { BACKSTOP_POLICY: path } })
}

afterEach(async () => {
  await t?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function approve(sql: string) {
  const held = await t.query(sql)
  expect(held).toMatchObject({ status: 'approval_required', risk_level: 'CRITICAL' })
  expect((await t.call('operator', 'POST', `/approve/${held.approval_id}`)).status).toBe(200)
  return held
}

interface Answered {
  readonly recovery_points: readonly { readonly table: string; readonly set_id?: string }[]
}

/** The tables that were captured inside the statement's transaction, and the set that they are. */
function securedBy(answer: Answered) {
  const sets = new Set(answer.recovery_points.map(({ set_id }) => set_id))
  expect(sets.size).toBe(1)
  return { tables: answer.recovery_points.map(({ table }) => table).toSorted(), setId: [...sets][0] as SetId }
}

async function setsOver(): Promise<{ origin: string; members: { table: string }[]; lsn: string; set_id: string }[]> {
  const { status, body } = await t.call('operator', 'GET', '/metadata/sets')
  expect(status).toBe(200)
  return body.items
}

test('an approved DROP of one table of a group, under writers, leaves the whole group recoverable at one LSN', async () => {
  await start({ recovery_groups: { bank: ['checking', 'savings', 'transfer'] } })
  const writers = await keepMovingMoney(t.db.url, { writers: 2, accounts: 100 })
  await writers.moved(10)
  await approve('DROP TABLE transfer')
  await writers.moved(10)
  const done = await t.query('DROP TABLE transfer')
  expect(done).toMatchObject({ status: 'executed', command: 'DROP TABLE' })
  // The table that they write to is gone.
  await expect(writers.stop()).rejects.toThrow(/transfer/)

  const { tables, setId } = securedBy(done)
  expect(tables).toEqual(['checking', 'savings', 'transfer'])
  const set = (await setsOver()).find(({ set_id }) => set_id === setId)
  expect(set).toMatchObject({ status: 'valid', origin: 'final' })
  const snapshots = await t.call('operator', 'GET', '/metadata/snapshots?table=transfer')
  expect(snapshots.body[0]).toMatchObject({ set_id: setId, origin: 'final' })

  const report = await t.product.parts.recovery.sets.restore({ setId })
  expect(report.lsn).toBe(set?.lsn)
  const found = await t.db.run(
    `SELECT (SELECT sum(balance)::int FROM checking_recovered) + (SELECT sum(balance)::int FROM savings_recovered) AS total,
       (SELECT sum(balance)::int FROM savings_recovered) - (SELECT sum(amount)::int FROM transfer_recovered) AS unexplained,
       (SELECT count(*)::int FROM transfer_recovered) > 10 AS is_late`,
  )
  expect(found).toEqual([{ total: TOTAL, unexplained: 0, is_late: true }])

  const plan = await t.product.parts.recovery.sets.planCopyback(setId)
  await t.db.run(plan.statements.join(';\n'))
  expect(await t.db.run('SELECT sum(amount) = (SELECT sum(balance) FROM savings) AS fits FROM transfer')).toEqual([
    { fits: true },
  ])
})

test('before anybody decides the group is ready as one set, and a fresh one is not taken again', async () => {
  await start({ recovery_groups: { bank: ['checking', 'savings'] } })
  await t.product.parts.recovery.captureSet(
    ['checking', 'savings'].map((name) => ({ schema: 'public', name })),
    'manual',
  )
  await approve('TRUNCATE savings')
  expect((await setsOver()).filter(({ origin }) => origin === 'demand')).toEqual([])
})

test('a table of the group that cannot be captured keeps a CRITICAL statement on any other from being accepted', async () => {
  await start({ recovery_groups: { bank: ['checking', 'savings', 'nowhere'] } })
  const answer = await t.query('DROP TABLE savings')
  expect(answer).toMatchObject({
    status: 'blocked',
    message: expect.stringContaining('the group public.checking, public.nowhere, public.savings'),
  })
  expect(answer.message).toContain('there is no table public.nowhere')
  expect((await t.query('DROP TABLE elsewhere')).status).toBe('approval_required')
})

test('a statement on a partition needs the group of the partitioned table, which is one member with all of its rows', async () => {
  await start({ recovery_groups: { logs: ['log', 'elsewhere'] } })
  await t.db.run(`CREATE TABLE log (day integer) PARTITION BY LIST (day);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES IN (1); CREATE TABLE log_2 PARTITION OF log FOR VALUES IN (2);
    INSERT INTO log VALUES (1), (2), (2)`)
  await approve('TRUNCATE log_1')
  const ready = (await setsOver()).find(({ members }) => members.some(({ table }) => table === 'log'))
  expect(ready?.members.map(({ table }) => table)).toEqual(['elsewhere', 'log'])
  expect(securedBy(await t.query('TRUNCATE log_1')).tables).toEqual(['elsewhere', 'log_1'])
  await approve('DROP TABLE log')
  expect(securedBy(await t.query('DROP TABLE log')).tables).toEqual(['elsewhere', 'log_1', 'log_2'])
})

test('with foreign-key grouping the tables that keys join are secured with the one that is named', async () => {
  await start({ foreign_key_grouping_enabled: true })
  await approve('DROP TABLE transfer')
  const demanded = (await setsOver())[0]
  expect(demanded?.members.map(({ table }) => table)).toEqual(['checking', 'transfer'])
  const { tables } = securedBy(await t.query('DROP TABLE transfer'))
  expect(tables).toEqual(['checking', 'transfer'])
})

test('with cascade readiness the tables of a cascade have points of one instant before the statement is accepted', async () => {
  await start({ cascade_risk_requires_group_readiness: true })
  await approve('TRUNCATE checking CASCADE')
  expect((await setsOver()).map(({ members }) => members.map(({ table }) => table))).toContainEqual([
    'checking',
    'transfer',
  ])
  expect(securedBy(await t.query('TRUNCATE checking CASCADE')).tables).toEqual(['checking', 'transfer'])
})

test('without any of it a cascade is secured as one set too, and one table alone is no set', async () => {
  await start({})
  await approve('TRUNCATE checking CASCADE')
  expect(securedBy(await t.query('TRUNCATE checking CASCADE')).tables).toEqual(['checking', 'transfer'])
  await approve('DROP TABLE elsewhere')
  const alone = await t.query('DROP TABLE elsewhere')
  expect(alone.recovery_points).toHaveLength(1)
  expect(alone.recovery_points[0]).not.toHaveProperty('set_id')
})
