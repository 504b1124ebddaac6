/** The way back after each kind of loss, by executing the planned SQL on a real server. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RelationName, SnapshotId } from '#lib/kernel/index.ts'
import { quoteRelation } from '#lib/kernel/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

/** A table with everything that hangs on a table, under names that need quoting. */
const SEED = `
  CREATE SCHEMA "Sales Dept";
  CREATE ROLE clerk_${process.pid} NOLOGIN;
  CREATE TABLE "Sales Dept".customer (id integer PRIMARY KEY, name text NOT NULL);
  INSERT INTO "Sales Dept".customer SELECT i, 'c' || i FROM generate_series(1, 20) i;
  CREATE FUNCTION "Sales Dept".touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.touched := now(); RETURN new; END $$;
  CREATE TABLE "Sales Dept"."Order" (
    "Id" bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 2),
    number serial,
    "select" text COLLATE "C" DEFAULT 'it''s',
    customer integer NOT NULL REFERENCES "Sales Dept".customer (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    parent bigint,
    amount numeric(10,2) NOT NULL DEFAULT 0,
    tax numeric(10,2) GENERATED ALWAYS AS (amount * 0.2) STORED,
    tags text[] DEFAULT '{}',
    "Order" json,
    gone integer,
    touched timestamptz,
    CONSTRAINT "Order_pk" PRIMARY KEY ("Id"),
    CONSTRAINT "number is unique" UNIQUE (number) INCLUDE (amount),
    CONSTRAINT "amount ok" CHECK (amount >= 0 OR "select" = '"Order"'),
    CONSTRAINT "self" FOREIGN KEY (parent) REFERENCES "Sales Dept"."Order" ("Id")
  ) WITH (fillfactor = 80, autovacuum_enabled = false);
  ALTER TABLE "Sales Dept"."Order" DROP COLUMN gone;
  ALTER TABLE "Sales Dept"."Order" ALTER COLUMN "select" SET STORAGE EXTERNAL, ALTER COLUMN amount SET STATISTICS 500;
  CREATE INDEX "by day" ON "Sales Dept"."Order" ((date_trunc('day', touched AT TIME ZONE 'UTC')), amount DESC NULLS LAST) WHERE amount > 0;
  CREATE UNIQUE INDEX "Order_lower" ON "Sales Dept"."Order" (lower("select"), "Id");
  CREATE INDEX tags_gin ON "Sales Dept"."Order" USING gin (tags);
  CREATE TRIGGER "touch it" BEFORE UPDATE OF amount, "select" ON "Sales Dept"."Order"
    FOR EACH ROW WHEN (old.amount IS DISTINCT FROM new.amount) EXECUTE FUNCTION "Sales Dept".touch();
  CREATE TRIGGER sleeping AFTER INSERT ON "Sales Dept"."Order" FOR EACH ROW EXECUTE FUNCTION "Sales Dept".touch();
  ALTER TABLE "Sales Dept"."Order" DISABLE TRIGGER sleeping;
  ALTER TABLE "Sales Dept"."Order" ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON "Sales Dept"."Order" FOR SELECT TO clerk_${process.pid}
    USING (EXISTS (SELECT FROM "Sales Dept".customer c WHERE c.id = "Order".customer));
  CREATE POLICY plain ON "Sales Dept"."Order" AS RESTRICTIVE FOR INSERT WITH CHECK (amount < 1000);
  COMMENT ON TABLE "Sales Dept"."Order" IS 'all orders; not "Order"';
  COMMENT ON COLUMN "Sales Dept"."Order"."select" IS 'a reserved word';
  COMMENT ON CONSTRAINT "Order_pk" ON "Sales Dept"."Order" IS 'the key';
  COMMENT ON INDEX "Sales Dept"."by day" IS 'for reports';
  COMMENT ON TRIGGER "touch it" ON "Sales Dept"."Order" IS 'touches';
  GRANT SELECT, UPDATE ON "Sales Dept"."Order" TO clerk_${process.pid};
  GRANT INSERT (amount) ON "Sales Dept"."Order" TO clerk_${process.pid};
  CREATE STATISTICS "Sales Dept".together (dependencies) ON customer, amount FROM "Sales Dept"."Order";
  INSERT INTO "Sales Dept"."Order" (customer, amount, "select", tags, "Order")
    SELECT 1 + i % 20, i, 'row ' || i, ARRAY['t' || i % 3], json_build_object('i', i) FROM generate_series(1, 200) i;
  UPDATE "Sales Dept"."Order" SET parent = 100 WHERE "Id" > 300;
  CREATE TABLE "Sales Dept".line (id integer PRIMARY KEY, "order" bigint REFERENCES "Sales Dept"."Order");
  INSERT INTO "Sales Dept".line SELECT i, 100 + 2 * i FROM generate_series(0, 50) i;
`

const ORDERS: RelationName = { schema: 'Sales Dept', name: 'Order' }
const RECOVERED: RelationName = { schema: 'Sales Dept', name: 'Order_recovered' }

let db: TestDatabase
let slice: TestRecovery

beforeEach(async () => {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database)
})

afterEach(async () => {
  await slice?.close()
  await db?.run(`DROP OWNED BY clerk_${process.pid}; DROP ROLE clerk_${process.pid}`)
  await db?.drop()
})

async function capture(relation = ORDERS) {
  const point = await slice.recovery.capture(relation, 'manual')
  const { manifest } = await slice.recovery.readManifest(point.snapshotId)
  return { point, manifest, rows: await rowsOf(relation) }
}

async function rowsOf(relation: RelationName) {
  const rows = await db.run(`SELECT t::text AS body FROM ${quoteRelation(relation)} t ORDER BY 1`)
  return rows.map((row) => row['body'])
}

async function recover(snapshotId: SnapshotId) {
  const report = await slice.recovery.restore({ snapshotId })
  const plan = await slice.recovery.planCopyback(snapshotId)
  await db.run(plan.statements.join(';\n'))
  return { report, plan }
}

test('after DROP TABLE … CASCADE the table is back as it was, with all that hung on it', async () => {
  const { point, manifest, rows } = await capture()
  await db.run(`DROP TABLE ${quoteRelation(ORDERS)} CASCADE`)
  const { report, plan } = await recover(point.snapshotId)
  expect(plan.kind).toBe('replace-missing-table')
  expect(report.rowCount).toBe(200)
  expect(await rowsOf(ORDERS)).toEqual(rows)
  const again = await capture()
  expect(again.manifest.definition).toEqual(manifest.definition)
  expect(again.manifest.content.digest).toBe(manifest.content.digest)
  await db.run(`INSERT INTO ${quoteRelation(ORDERS)} (customer, amount) VALUES (1, 5)`)
  const newest = await db.run(
    `SELECT "Id"::text AS id, number FROM ${quoteRelation(ORDERS)} ORDER BY "Id" DESC LIMIT 1`,
  )
  expect(newest).toEqual([{ id: '500', number: 201 }])
  await expect(db.run(`INSERT INTO "Sales Dept".line VALUES (999, 7)`)).rejects.toThrow(/violates foreign key/)
})

test('while the original stands the recovered table reports what it could not take over', async () => {
  const { point } = await capture()
  const report = await slice.recovery.restore({ snapshotId: point.snapshotId })
  expect(report.target).toEqual(RECOVERED)
  expect(report.notRebuilt.map(({ subject }) => subject).sort()).toEqual([
    'foreign key line_order_fkey of Sales Dept.line',
    'policy own',
    'statistics together',
  ])
  const keys = await db.run(
    `SELECT conname, confrelid::regclass::text AS refers FROM pg_constraint WHERE conrelid = '"Sales Dept"."Order_recovered"'::regclass AND contype = 'f' ORDER BY 1`,
  )
  expect(keys).toEqual([
    { conname: 'Order_customer_fkey', refers: '"Sales Dept".customer' },
    { conname: 'self', refers: '"Sales Dept"."Order_recovered"' },
  ])
  const sequence = await db.run(`SELECT pg_get_serial_sequence('"Sales Dept"."Order_recovered"', 'number') AS name`)
  expect(sequence).toEqual([{ name: '"Sales Dept"."Order_recovered_Order_number_seq"' }])
})

test('after TRUNCATE … CASCADE … RESTART IDENTITY the rows and the sequences are back', async () => {
  const { point, rows } = await capture()
  await db.run(`TRUNCATE ${quoteRelation(ORDERS)} RESTART IDENTITY CASCADE`)
  const { plan } = await recover(point.snapshotId)
  expect(plan.kind).toBe('bring-back-rows')
  expect(await rowsOf(ORDERS)).toEqual(rows)
  await db.run(`INSERT INTO ${quoteRelation(ORDERS)} (customer, amount) VALUES (1, 5)`)
  const newest = await db.run(`SELECT "Id"::text AS id FROM ${quoteRelation(ORDERS)} ORDER BY "Id" DESC LIMIT 1`)
  expect(newest).toEqual([{ id: '500' }])
})

test('after a bad UPDATE and DELETE the rows are as before, and rows made since stay', async () => {
  const { point, rows } = await capture()
  await db.run(`UPDATE ${quoteRelation(ORDERS)} SET amount = 1, "select" = NULL WHERE "Id" < 300`)
  await db.run(`DELETE FROM ${quoteRelation(ORDERS)} WHERE "Id" BETWEEN 320 AND 340`)
  await db.run(`INSERT INTO ${quoteRelation(ORDERS)} (customer, amount, "select") VALUES (3, 77, 'new')`)
  const { plan } = await recover(point.snapshotId)
  expect(plan.notes).toEqual([
    '11 rows are missing and are inserted',
    `100 rows differ and are set back to the snapshot of ${point.capturedAt}`,
    '1 rows are newer than the snapshot, or changed in a table without a key; they are left',
  ])
  const after = await rowsOf(ORDERS)
  expect(after.filter((row) => rows.includes(row))).toEqual(rows)
  expect(after).toHaveLength(rows.length + 1)
  const firing = await db.run(
    `SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = '"Sales Dept"."Order"'::regclass AND NOT tgisinternal ORDER BY 1`,
  )
  expect(firing).toEqual([
    { tgname: 'sleeping', tgenabled: 'D' },
    { tgname: 'touch it', tgenabled: 'O' },
  ])
})

test('under the policy skip rows that differ are left and named', async () => {
  const { point } = await capture()
  await db.run(`UPDATE ${quoteRelation(ORDERS)} SET amount = 1 WHERE "Id" = 110`)
  await slice.recovery.restore({ snapshotId: point.snapshotId })
  const skip = await slice.recovery.planCopyback(point.snapshotId, undefined, 'skip')
  expect(skip).toEqual({
    kind: 'nothing-to-do',
    statements: [],
    notes: ['1 rows differ and are left as they are; --conflict-policy overwrite sets them back'],
  })
  const fail = slice.recovery.planCopyback(point.snapshotId, undefined, 'fail')
  await expect(fail).rejects.toMatchObject({ code: 'RESTORE_TARGET_EXISTS' })
})

test('after DROP COLUMN … CASCADE the columns are back with values, defaults and what was built on them', async () => {
  const { point, manifest } = await capture()
  const content = `SELECT "Id"::text AS id, number, tags, "select", amount, tax FROM ${quoteRelation(ORDERS)} ORDER BY 1`
  const before = await db.run(content)
  await db.run(`ALTER TABLE ${quoteRelation(ORDERS)} DROP COLUMN tags CASCADE, DROP COLUMN "select" CASCADE,
    DROP COLUMN number CASCADE, DROP COLUMN tax CASCADE`)
  await recover(point.snapshotId)
  expect(await db.run(content)).toEqual(before)
  const again = await capture()
  const names = (parts: readonly { readonly name: string }[]) => parts.map(({ name }) => name)
  for (const kind of ['constraints', 'indexes', 'triggers', 'policies', 'statistics'] as const) {
    expect(names(again.manifest.definition[kind])).toEqual(names(manifest.definition[kind]))
  }
  const defaults = (columns: typeof manifest.definition.columns) =>
    columns.map(({ name, expression }) => `${name} ${expression}`).sort()
  expect(defaults(again.manifest.definition.columns)).toEqual(defaults(manifest.definition.columns))
})

test('a table without a key gets each lost row back as often as it was there', async () => {
  await db.run(
    `CREATE TABLE plain (v json, p point); INSERT INTO plain SELECT '{"a":1}', '(0,0)' FROM generate_series(1, 3); INSERT INTO plain VALUES (NULL, NULL), ('{"b":2}', '(1,1)')`,
  )
  const { point, rows } = await capture({ schema: 'public', name: 'plain' })
  await db.run(
    `DELETE FROM plain WHERE ctid IN (SELECT ctid FROM plain WHERE v::text = '{"a":1}' LIMIT 2); DELETE FROM plain WHERE v IS NULL`,
  )
  await recover(point.snapshotId)
  expect(await rowsOf({ schema: 'public', name: 'plain' })).toEqual(rows)
})

test('a dropped partition takes its place in the parent again', async () => {
  await db.run(`CREATE TABLE log (day date NOT NULL, line text) PARTITION BY RANGE (day);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    CREATE TABLE log_2 PARTITION OF log DEFAULT;
    INSERT INTO log SELECT date '2024-01-01' + i, 'x' || i FROM generate_series(0, 59) i`)
  const { point } = await capture({ schema: 'public', name: 'log_1' })
  const before = await rowsOf({ schema: 'public', name: 'log' })
  await db.run('DROP TABLE log_1')
  await recover(point.snapshotId)
  expect(await rowsOf({ schema: 'public', name: 'log' })).toEqual(before)
})

test('a partitioned table is one point with the rows of all its partitions', async () => {
  await db.run(`CREATE TABLE log (day date NOT NULL, line text) PARTITION BY RANGE (day);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
    CREATE TABLE log_2 PARTITION OF log DEFAULT;
    INSERT INTO log SELECT date '2024-01-01' + i, 'x' || i FROM generate_series(0, 59) i`)
  const { point, rows } = await capture({ schema: 'public', name: 'log' })
  await db.run('TRUNCATE log')
  const { report } = await recover(point.snapshotId)
  expect(report.notRebuilt).toEqual([])
  expect(await rowsOf({ schema: 'public', name: 'log' })).toEqual(rows)
})

test('after DROP TYPE … CASCADE the type, the column and its values are back', async () => {
  await db.run(`CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE diary (id integer PRIMARY KEY, mood mood NOT NULL);
    CREATE INDEX by_mood ON diary (mood); INSERT INTO diary SELECT i, CASE WHEN i % 3 = 0 THEN 'bad' ELSE 'good' END::mood FROM generate_series(1, 20) i`)
  const { point, manifest, rows } = await capture({ schema: 'public', name: 'diary' })
  await db.run('DROP TYPE mood CASCADE')
  await recover(point.snapshotId)
  expect(await rowsOf({ schema: 'public', name: 'diary' })).toEqual(rows)
  await db.run('DROP TABLE diary_recovered')
  const again = await capture({ schema: 'public', name: 'diary' })
  expect(again.manifest.definition).toEqual(manifest.definition)
})

test('after DROP FUNCTION … CASCADE of a trigger the function is back, and the trigger that is gone is named', async () => {
  await db.run(`CREATE FUNCTION up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.v := upper(new.v); RETURN new; END $$;
    CREATE TABLE word (id integer PRIMARY KEY, v text); CREATE TRIGGER upper_it BEFORE INSERT ON word FOR EACH ROW EXECUTE FUNCTION up();
    INSERT INTO word SELECT i, 'w' || i FROM generate_series(1, 10) i`)
  const { point } = await capture({ schema: 'public', name: 'word' })
  await db.run('DROP FUNCTION up() CASCADE; DELETE FROM word WHERE id > 5')
  const { plan } = await recover(point.snapshotId)
  expect(plan.notes).toContain('trigger upper_it was there at the snapshot and is not now; it is left so')
  expect(await db.run(`SELECT count(*)::integer AS count FROM word`)).toEqual([{ count: 10 }])
  expect(await db.run(`SELECT to_regproc('public.up') IS NOT NULL AS found`)).toEqual([{ found: true }])
})
