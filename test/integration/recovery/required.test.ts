/** A table comes back into a database that has lost its types, functions and schema; what nobody can make again stops it first. */
import { afterEach, expect, test } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

const SEED = `
  CREATE SCHEMA app; CREATE SCHEMA "Other ""one"""; CREATE EXTENSION citext;
  CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok'); ALTER TYPE app.mood ADD VALUE 'first' BEFORE 'sad';
  CREATE COLLATION app.loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
  CREATE FUNCTION app.is_ok(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
  CREATE FUNCTION app.twice(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN $1 * 2; END $$;
  CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN new.note := 'stamped'; RETURN new; END $$;
  CREATE FUNCTION app.tag() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'tagged' $$;
  REVOKE ALL ON FUNCTION app.stamp() FROM PUBLIC;
  CREATE DOMAIN app.pos AS integer DEFAULT 1 CONSTRAINT is_pos CHECK (app.is_ok(VALUE));
  CREATE TYPE "Other ""one"""."a pair" AS (a app.pos, m app.mood[], t text COLLATE app.loose);
  CREATE TYPE app.fr AS RANGE (subtype = double precision, subtype_diff = float8mi, multirange_type_name = app.frs);
  CREATE SEQUENCE app.numbers START 5; SELECT nextval('app.numbers');
  CREATE TABLE app.wares (id integer DEFAULT nextval('app.numbers') PRIMARY KEY, p "Other ""one"""."a pair", ps "Other ""one"""."a pair"[], r app.fr, rs app.frs,
    c citext, g integer GENERATED ALWAYS AS (app.twice(id)) STORED, n text COLLATE app.loose, note text DEFAULT app.tag(),
    CHECK (app.is_ok(id)));
  CREATE INDEX by_twice ON app.wares (app.twice(id));
  CREATE TRIGGER stamping BEFORE INSERT ON app.wares FOR EACH ROW EXECUTE FUNCTION app.stamp();
  INSERT INTO app.wares (id, p, ps, r, rs, c, n) VALUES (1, ROW(3, '{sad,first}', 'Ä'), ARRAY[ROW(4, NULL, '')::"Other ""one"""."a pair"], '[1.5,2)', '{[1,2)}', 'MiXed', 'ä');`

const DROP_ALL = `DROP SCHEMA app CASCADE; DROP SCHEMA "Other ""one""" CASCADE`
const WARES = { schema: 'app', name: 'wares' }

let db: TestDatabase
let slice: TestRecovery

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

async function open(): Promise<void> {
  db = await createTestDatabase(SEED)
  slice = await openTestRecovery(db.database)
}

/** Oids of types that were made again are others: the text shows no oids. */
const CONTENT = (table: string) => `SELECT t::text AS row FROM ${table} t`
const FACTS = `SELECT
  (SELECT json_agg(json_build_array(t.oid::regtype, t.typtype, t.typowner::regrole, pg_get_userbyid(t.typowner),
     (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)) ORDER BY t.oid::regtype::text)
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE n.nspname IN ('app', 'Other "one"') AND (c.oid IS NULL OR c.relkind = 'c') AND t.oid::regtype::text NOT LIKE '%wares%') AS types,
  (SELECT json_agg(json_build_array(pg_get_functiondef(p.oid), p.proacl::text) ORDER BY p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'app' AND p.prolang <> 12) AS functions,
  (SELECT json_agg(json_build_array(conname, pg_get_constraintdef(oid)) ORDER BY conname) FROM pg_constraint WHERE contypid <> 0 AND connamespace = 'app'::regnamespace) AS checks,
  (SELECT json_agg(json_build_array(collname, collprovider, collisdeterministic, colllocale) ORDER BY collname) FROM pg_collation WHERE collnamespace = 'app'::regnamespace) AS collations,
  (SELECT json_agg(json_build_array(sequencename, start_value, last_value) ORDER BY sequencename) FROM pg_sequences WHERE schemaname = 'app') AS sequences`

test('types, functions, sequences and schemas that went with the table are made again', async () => {
  await open()
  const facts = await db.run(FACTS)
  const content = await db.run(CONTENT('app.wares'))
  const { snapshotId } = await slice.recovery.capture(WARES, 'manual')
  await db.run(DROP_ALL)
  const dry = await slice.recovery.restore({ snapshotId, isDryRun: true })
  expect(dry.rebuilt).toEqual(expect.arrayContaining(['schema app', 'type app.mood', 'function app.twice(integer)']))
  expect(await db.run(`SELECT to_regnamespace('app') IS NULL AS is_gone`)).toEqual([{ is_gone: true }])
  const report = await slice.recovery.restore({ snapshotId })
  expect(report.notRebuilt).toEqual([])
  expect(report.rebuilt).toEqual(expect.arrayContaining(['type app.pos', 'trigger stamping', 'sequence app.numbers']))
  expect(await db.run(FACTS)).toEqual(facts)
  expect(await db.run(CONTENT('app.wares_recovered'))).toEqual(content)
  expect(await db.run(`SELECT id, (p).m::text AS m, c::text, g, n FROM app.wares_recovered`)).toEqual([
    { id: 1, m: '{sad,first}', c: 'MiXed', g: 2, n: 'ä' },
  ])
  expect(await db.run(`INSERT INTO app.wares_recovered (n) VALUES ('x') RETURNING id, note`)).toEqual([
    { id: 6, note: 'stamped' },
  ])
})

test('an extension that is not there stops the restore before anything is made, with the list', async () => {
  await open()
  const { snapshotId } = await slice.recovery.capture(WARES, 'manual')
  await db.run(`${DROP_ALL}; DROP EXTENSION citext`)
  const refusal = { code: 'REQUIRED_OBJECTS_MISSING', message: expect.stringMatching(/extension citext \d/) }
  await expect(slice.recovery.restore({ snapshotId, isDryRun: true })).rejects.toMatchObject(refusal)
  await expect(slice.recovery.restore({ snapshotId })).rejects.toMatchObject(refusal)
  expect(await db.run(`SELECT to_regnamespace('app') IS NULL AS is_gone`)).toEqual([{ is_gone: true }])
})

test('a label that the enum has lost stops the restore', async () => {
  await open()
  const { snapshotId } = await slice.recovery.capture(WARES, 'manual')
  await db.run(`ALTER TYPE app.mood RENAME VALUE 'sad' TO 'gloomy'`)
  await expect(slice.recovery.restore({ snapshotId })).rejects.toMatchObject({
    code: 'REQUIRED_OBJECTS_MISSING',
    message: expect.stringContaining('label sad of type app.mood'),
  })
})

test('a function whose owner is gone is not given to whoever restores', async () => {
  await open()
  const role = `keeper_${db.name}`
  await db.run(`CREATE ROLE ${role}; ALTER FUNCTION app.stamp() OWNER TO ${role}`)
  const { snapshotId } = await slice.recovery.capture(WARES, 'manual')
  await db.run(`${DROP_ALL}; DROP ROLE ${role}`)
  const report = await slice.recovery.restore({ snapshotId })
  const subjects = report.notRebuilt.map(({ subject }) => subject)
  expect(subjects).toEqual(['function app.stamp()', 'trigger stamping'])
  expect(await db.run(`SELECT to_regproc('app.stamp') IS NULL AS is_gone`)).toEqual([{ is_gone: true }])
})

test('a sequence whose state the role could not read is not made, so that it gives no number out again', async () => {
  await open()
  const role = `weak_${db.name}`
  await db.run(`CREATE ROLE ${role} LOGIN PASSWORD 'w'; GRANT USAGE ON SCHEMA app TO ${role}; GRANT SELECT ON app.wares TO ${role};
    GRANT pg_read_all_stats TO ${role}; GRANT EXECUTE ON FUNCTION pg_control_checkpoint() TO ${role}`)
  const weak = openPostgres({ url: db.urlAs(role, 'w') })
  const capturer = await openTestRecovery(weak, { folder: slice.folder })
  const { snapshotId } = await capturer.recovery.capture(WARES, 'manual')
  await capturer.close()
  await weak.close()
  await db.run(DROP_ALL)
  const report = await slice.recovery.restore({ snapshotId })
  expect(report.notRebuilt.map(({ subject }) => subject)).toEqual(['sequence app.numbers', 'default of column id'])
  await db.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})
