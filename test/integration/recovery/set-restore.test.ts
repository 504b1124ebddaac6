/** A set back in the database: all members at once, their keys among each other, and the way back after each kind of loss. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RelationName, SetId } from '#lib/kernel/index.ts'
import { displayRelation, quoteRelation } from '#lib/kernel/index.ts'
import { eventually } from '#test/support/eventually.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const KILLED_SET = fileURLToPath(new URL('../../support/recovery/killed-set.ts', import.meta.url))

/** Two schemas, reserved and mixed-case names, a composite key, a circle, a table that refers to itself, keys from and to outside. */
const SEED = `
  CREATE SCHEMA "Sales Dept";
  CREATE TABLE country (code char(2) PRIMARY KEY);
  CREATE TABLE "Sales Dept"."Order" (
    id integer, region text, "select" text, "lastLine" integer, parent integer, parent_region text, country char(2) REFERENCES country,
    PRIMARY KEY (id, region), CONSTRAINT itself FOREIGN KEY (parent, parent_region) REFERENCES "Sales Dept"."Order" (id, region));
  CREATE TABLE line (
    no integer PRIMARY KEY, order_id integer NOT NULL, order_region text NOT NULL, amount numeric(10,2) NOT NULL DEFAULT 1,
    CONSTRAINT of_order FOREIGN KEY (order_id, order_region) REFERENCES "Sales Dept"."Order" (id, region) ON DELETE CASCADE);
  ALTER TABLE "Sales Dept"."Order" ADD CONSTRAINT "last line" FOREIGN KEY ("lastLine") REFERENCES line (no) ON DELETE SET NULL;
  CREATE TABLE refund (id serial PRIMARY KEY, line integer NOT NULL REFERENCES line (no) ON DELETE CASCADE, reason text UNIQUE);
  CREATE TABLE audit_note (id integer PRIMARY KEY, refund integer REFERENCES refund (id));
  CREATE INDEX ON line (order_id, order_region);
  CREATE FUNCTION no_touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.reason := 'touched ' || new.id; RETURN new; END $$;
  CREATE TRIGGER touches BEFORE INSERT OR UPDATE ON refund FOR EACH ROW EXECUTE FUNCTION no_touch();
  ALTER TABLE refund ENABLE ROW LEVEL SECURITY;
  CREATE POLICY small ON refund USING (EXISTS (SELECT FROM line l WHERE l.no = refund.line AND l.amount < 100));
  INSERT INTO country VALUES ('CH'), ('NL');
  INSERT INTO "Sales Dept"."Order" SELECT i, 'r' || i % 2, 'text ' || i, NULL, NULL, NULL, 'CH' FROM generate_series(1, 40) i;
  INSERT INTO line SELECT i, 1 + i % 40, 'r' || (1 + i % 40) % 2, i FROM generate_series(1, 300) i;
  UPDATE "Sales Dept"."Order" o SET "lastLine" = (SELECT max(no) FROM line l WHERE l.order_id = o.id AND l.order_region = o.region),
    parent = CASE WHEN id > 2 THEN 1 + (id + 1) % 2 END, parent_region = CASE WHEN id > 2 THEN 'r' || (1 + (id + 1) % 2) % 2 END;
  INSERT INTO refund (line) SELECT no FROM line WHERE no % 10 = 0;
  INSERT INTO audit_note VALUES (1, 3), (2, 4);
  ANALYZE;
`
const ORDER: RelationName = { schema: 'Sales Dept', name: 'Order' }
const LINE: RelationName = { schema: 'public', name: 'line' }
const REFUND: RelationName = { schema: 'public', name: 'refund' }
const MEMBERS = [ORDER, LINE, REFUND]
const KEYS_SQL = `SELECT conrelid::regclass::text || ' ' || conname || ' → ' || confrelid::regclass::text || CASE WHEN convalidated THEN '' ELSE ' NOT VALID' END AS key
  FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1`

let db: TestDatabase
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database)
})

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

async function take() {
  const { set } = await slice.recovery.sets.capture({ kind: 'tables', tables: MEMBERS }, 'manual')
  return set.setId
}

const keysNow = async () => (await db.run(KEYS_SQL)).map(({ key }) => key)

async function contentNow() {
  const content: Record<string, unknown> = {}
  for (const relation of [...MEMBERS, { schema: 'public', name: 'audit_note' }]) {
    const rows = await db.run(`SELECT t::text AS body FROM ${quoteRelation(relation)} t ORDER BY 1`)
    content[displayRelation(relation)] = rows.map(({ body }) => body)
  }
  return content
}

/** Recover the set, run its script as it stands, and drop what was left behind. */
async function bringBack(setId: SetId) {
  await slice.recovery.sets.restore({ setId })
  const plan = await slice.recovery.sets.planCopyback(setId)
  await db.run(plan.statements.join(';\n'))
  const left = await db.run(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE '%\\_recovered'`,
  )
  if (left.length > 0) await db.run(`DROP TABLE ${left.map(({ name }) => name).join(', ')}`)
  return plan
}

test('recovered tables refer to each other and not to the originals; keys to outside are made where they hold', async () => {
  const setId = await take()
  const report = await slice.recovery.sets.restore({ setId })
  expect(report.keys.toSorted()).toEqual([
    'foreign key itself of Sales Dept.Order_recovered',
    'foreign key last line of Sales Dept.Order_recovered',
    'foreign key of_order of public.line_recovered',
    'foreign key refund_line_fkey of public.refund_recovered',
  ])
  expect((await keysNow()).filter((key) => String(key).includes('recovered'))).toEqual([
    '"Sales Dept"."Order_recovered" Order_country_fkey → country',
    '"Sales Dept"."Order_recovered" itself → "Sales Dept"."Order_recovered"',
    '"Sales Dept"."Order_recovered" last line → line_recovered',
    'line_recovered of_order → "Sales Dept"."Order_recovered"',
    'refund_recovered refund_line_fkey → line_recovered',
  ])
  expect(report.members.map(({ rowCount, insertedRows }) => [rowCount, insertedRows])).toEqual([
    [40, 40],
    [300, 300],
    [30, 30],
  ])
})

test('into a schema of its own, made for it; a dry run changes nothing and says the same', async () => {
  const setId = await take()
  const dry = await slice.recovery.sets.restore({ setId, schema: 'rescue', isDryRun: true })
  expect(await db.run(`SELECT FROM pg_namespace WHERE nspname = 'rescue'`)).toEqual([])
  const report = await slice.recovery.sets.restore({ setId, schema: 'rescue' })
  expect(report.createdSchema).toBe('rescue')
  expect(dry.keys).toEqual(report.keys)
  expect(dry.members.map(({ target }) => target)).toEqual(report.members.map(({ target }) => target))
  expect(report.members.map(({ target }) => displayRelation(target)).toSorted()).toEqual([
    'rescue.Order',
    'rescue.line',
    'rescue.refund',
  ])
})

test('the target of one member that exists refuses them all', async () => {
  const setId = await take()
  await db.run('CREATE TABLE refund_recovered (x int)')
  await expect(slice.recovery.sets.restore({ setId })).rejects.toMatchObject({ code: 'RESTORE_TARGET_EXISTS' })
  expect(await db.run(`SELECT relname FROM pg_class WHERE relname LIKE '%\\_recovered' AND relkind = 'r'`)).toEqual([
    { relname: 'refund_recovered' },
  ])
})

test('rows that broke a key before they were captured are refused as a set, and each table is there alone', async () => {
  await db.run(`SET session_replication_role = replica; DELETE FROM line WHERE no = 10`)
  const setId = await take()
  await expect(slice.recovery.sets.restore({ setId })).rejects.toMatchObject({ code: 'SET_KEY_BROKEN' })
  expect(await db.run(`SELECT FROM pg_class WHERE relname LIKE '%\\_recovered'`)).toEqual([])
  const point = await slice.recovery.findNewestValid(REFUND)
  expect((await slice.recovery.restore({ snapshotId: point?.snapshotId ?? 'snap_' })).rowCount).toBe(30)
})

test('a key that was not validated comes back as that', async () => {
  await db.run(`ALTER TABLE refund DROP CONSTRAINT refund_line_fkey; SET session_replication_role = replica; DELETE FROM line WHERE no = 10;
    ALTER TABLE refund ADD CONSTRAINT refund_line_fkey FOREIGN KEY (line) REFERENCES line NOT VALID`)
  const before = await keysNow()
  await bringBack(await take())
  expect(await keysNow()).toEqual(before)
})

test('after DROP TABLE … CASCADE of all of them everything is back as it was, keys of others too', async () => {
  const setId = await take()
  const [before, keys] = [await contentNow(), await keysNow()]
  await db.run(`DROP TABLE "Sales Dept"."Order", line, refund CASCADE`)
  const plan = await bringBack(setId)
  expect(plan.members.map(({ action }) => action)).toEqual(Array(3).fill('replace-missing-table'))
  expect(await contentNow()).toEqual(before)
  expect(await keysNow()).toEqual(keys)
  await expect(db.run(`INSERT INTO line VALUES (999, 999, 'nowhere')`)).rejects.toThrow(/of_order/)
  await expect(db.run(`DELETE FROM refund WHERE id = 3`)).rejects.toThrow(/audit_note/)
  await db.run('INSERT INTO refund (line) VALUES (1)')
  expect(await db.run('SELECT max(id) AS id FROM refund')).toEqual([{ id: 31 }])
})

test.for<readonly [string, string]>([
  ['Sales Dept.Order', 'DROP TABLE "Sales Dept"."Order" CASCADE'],
  ['public.line', 'DROP TABLE line CASCADE'],
  ['public.refund', 'DROP TABLE refund CASCADE'],
  ['two of three', 'DROP TABLE line, refund CASCADE'],
])('after DROP TABLE … CASCADE of %s and damage to the others the keys lead to the originals', async ([, drop]) => {
  const setId = await take()
  const [before, keys] = [await contentNow(), await keysNow()]
  await db.run(drop)
  await db.run(`DO $$ BEGIN
    IF to_regclass('line') IS NOT NULL THEN DELETE FROM line WHERE no > 100; END IF;
    IF to_regclass('"Sales Dept"."Order"') IS NOT NULL THEN
      DELETE FROM "Sales Dept"."Order" WHERE id > 20; UPDATE "Sales Dept"."Order" SET "select" = 'gone'; END IF;
    IF to_regclass('refund') IS NOT NULL THEN ALTER TABLE refund DISABLE TRIGGER touches; UPDATE refund SET reason = 'x' || id;
      ALTER TABLE refund ENABLE TRIGGER touches; END IF;
  END $$`)
  await bringBack(setId)
  expect(await contentNow()).toEqual(before)
  expect(await keysNow()).toEqual(keys)
})

test('an empty table that took the name of one that is gone makes room for it', async () => {
  const setId = await take()
  const [before, keys] = [await contentNow(), await keysNow()]
  await db.run('DROP TABLE refund CASCADE; CREATE TABLE refund (id integer); DELETE FROM line WHERE no > 290')
  const plan = await bringBack(setId)
  expect(plan.members.map(({ relation, action }) => [relation.name, action])).toContainEqual([
    'refund',
    'replace-missing-table',
  ])
  expect(await contentNow()).toEqual(before)
  expect(await keysNow()).toEqual(keys)
})

test('a restore that is interrupted leaves nothing behind, whichever member it was at', async () => {
  const setId = await take()
  for (const name of ['Order', 'line', 'refund']) {
    const stop = new AbortController()
    const work = slice.recovery.sets.restore({
      setId,
      signal: stop.signal,
      onProgress: ({ phase, relation }) => {
        if (phase === 'compare' && relation.name === name) stop.abort(new Error('interrupted'))
      },
    })
    await expect(work).rejects.toThrow('interrupted')
    expect(await db.run(`SELECT FROM pg_class WHERE relname LIKE '%\\_recovered'`)).toEqual([])
  }
})

test('after TRUNCATE … CASCADE all rows are back, round the circle, and no trigger has touched them', async () => {
  await db.run(
    'ALTER TABLE refund DISABLE TRIGGER touches; UPDATE refund SET reason = $$r$$ || id; ALTER TABLE refund ENABLE TRIGGER touches',
  )
  await db.run('DELETE FROM audit_note')
  const setId = await take()
  const [before, keys] = [await contentNow(), await keysNow()]
  await db.run(`TRUNCATE "Sales Dept"."Order" RESTART IDENTITY CASCADE`)
  expect(await db.run('SELECT count(*)::int AS n FROM refund')).toEqual([{ n: 0 }])
  const plan = await bringBack(setId)
  expect(plan.members.map(({ action }) => action)).toEqual(Array(3).fill('bring-back-rows'))
  expect(await contentNow()).toEqual(before)
  expect(await keysNow()).toEqual(keys)
})

test('after a bad UPDATE over two tables both are set back together, and newer rows stay', async () => {
  const setId = await take()
  const before = await contentNow()
  await db.run(`UPDATE "Sales Dept"."Order" SET "select" = 'bad', parent = NULL WHERE id < 30;
    UPDATE line SET amount = amount * 100, order_id = 1, order_region = 'r1' WHERE no % 3 = 0;
    INSERT INTO line VALUES (1000, 1, 'r1', 7)`)
  const plan = await bringBack(setId)
  expect(plan.members.map(({ relation, action }) => [relation.name, action])).toEqual([
    ['Order', 'bring-back-rows'],
    ['line', 'bring-back-rows'],
    ['refund', 'nothing-to-do'],
  ])
  const after = await contentNow()
  const lines = after['public.line'] as string[]
  expect(lines.filter((row) => row.startsWith('(1000,'))).toHaveLength(1)
  expect({ ...after, 'public.line': lines.filter((row) => !row.startsWith('(1000,')) }).toEqual(before)
})

test('when nothing is wrong there is nothing to do', async () => {
  const setId = await take()
  await slice.recovery.sets.restore({ setId })
  expect(await slice.recovery.sets.planCopyback(setId)).toMatchObject({ kind: 'nothing-to-do', statements: [] })
})

test('under the policy fail rows that differ are refused, under skip they are left', async () => {
  const setId = await take()
  await db.run('UPDATE line SET amount = 0 WHERE no = 1')
  await slice.recovery.sets.restore({ setId })
  const fail = slice.recovery.sets.planCopyback(setId, {}, 'fail')
  await expect(fail).rejects.toMatchObject({ code: 'RESTORE_TARGET_EXISTS' })
  expect(await slice.recovery.sets.planCopyback(setId, {}, 'skip')).toMatchObject({ kind: 'nothing-to-do' })
})

test('a script that fails half-way changes nothing', async () => {
  const setId = await take()
  await db.run('DROP TABLE refund CASCADE; DELETE FROM line WHERE no > 200')
  const damaged = await db.run('SELECT count(*)::int AS n FROM line')
  await slice.recovery.sets.restore({ setId })
  const { statements } = await slice.recovery.sets.planCopyback(setId)
  const broken = [...statements.slice(0, -1), 'SELECT 1 / 0', 'COMMIT']
  await expect(db.run(broken.join(';\n'))).rejects.toThrow(/division by zero/)
  expect(await db.run('SELECT count(*)::int AS n FROM line')).toEqual(damaged)
  expect(await db.run(`SELECT to_regclass('refund') AS name`)).toEqual([{ name: null }])
})

test('a partitioned table is one member, and its keys hold between the recovered tables', async () => {
  await db.run(`CREATE TABLE day (id integer PRIMARY KEY);
    CREATE TABLE entry (id integer, day integer REFERENCES day, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
    CREATE TABLE entry_1 PARTITION OF entry FOR VALUES IN (1); CREATE TABLE entry_2 PARTITION OF entry FOR VALUES IN (2);
    CREATE TABLE remark (entry integer, day integer, FOREIGN KEY (entry, day) REFERENCES entry (id, day));
    INSERT INTO day VALUES (1), (2); INSERT INTO entry SELECT i, 1 + i % 2 FROM generate_series(1, 50) i;
    INSERT INTO remark SELECT id, day FROM entry`)
  const { set } = await slice.recovery.sets.capture(
    { kind: 'connected', tables: [{ schema: 'public', name: 'entry_2' }] },
    'manual',
  )
  expect(set.members.map(({ relation, rowCount }) => [relation.name, rowCount])).toEqual([
    ['day', 2],
    ['entry', 50],
    ['remark', 50],
  ])
  const report = await slice.recovery.sets.restore({ setId: set.setId })
  expect(report.keys).toEqual([
    'foreign key entry_day_fkey of public.entry_recovered',
    'foreign key remark_entry_day_fkey of public.remark_recovered',
  ])
  expect((await keysNow()).filter((key) => String(key).startsWith('remark_recovered'))).toEqual([
    'remark_recovered remark_entry_day_fkey → entry_recovered',
  ])
})

test.for(['CREATE TABLE', 'ADD CONSTRAINT "of_order"', 'OWNER TO'])(
  'a restore that is killed after %s leaves nothing behind',
  async (moment) => {
    const setId = await take()
    const child = spawnSync(process.execPath, [KILLED_SET, 'restore', db.url, slice.folder, moment, setId], {
      encoding: 'utf8',
    })
    expect({ signal: child.signal, stderr: child.stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
    await eventually(
      async () =>
        (
          await db.run(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state LIKE '%in transaction%'`,
          )
        ).length === 0,
      { what: 'the abandoned session to end' },
    )
    expect(await db.run(`SELECT FROM pg_class WHERE relname LIKE '%\\_recovered'`)).toEqual([])
    expect((await slice.recovery.sets.restore({ setId })).members).toHaveLength(3)
  },
)
