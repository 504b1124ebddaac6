/** Tables of PostgreSQL 14 to 18 come back on the version that they were captured on, and those of 14 on 18. */
import { afterAll, expect, test } from 'vitest'
import type { Cluster } from '#lib/adapters/embedded/postgres-cluster/index.ts'
import { startCluster } from '#lib/adapters/embedded/postgres-cluster/index.ts'
import { installVersion, VERSIONS } from '#test/support/native/versions.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import { bringBack, captureManifest, comparable } from '#test/support/recovery/bring-back.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

/** What the package of the embedded server brings: the version that the project depends on. */
const NEWEST = '18'
const WARE = { schema: 'app', name: 'ware' }
const LOG = { schema: 'app', name: 'log' }
const EXTENSIONS =
  'CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION btree_gist;'

const SEED = `${EXTENSIONS} CREATE SCHEMA app;
  CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN app.pos AS integer CHECK (VALUE > 0);
  CREATE TYPE app.pair AS (a app.pos, t text, m app.mood[]); CREATE TYPE app.fr AS RANGE (subtype = double precision, multirange_type_name = app.frs);
  CREATE COLLATION app.loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
  CREATE FUNCTION app.twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
  CREATE SEQUENCE app.numbers START 5;
  CREATE TABLE app.other (a integer, b integer, PRIMARY KEY (a, b)); INSERT INTO app.other VALUES (1, 2);
  CREATE TABLE app.ware (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 7) PRIMARY KEY, s serial, n integer DEFAULT nextval('app.numbers'),
    a integer, b integer, p app.pair, ps app.pair[], r app.fr, rs app.frs, span daterange, mr int4multirange, kind app.mood, c public.citext, h public.hstore, l public.ltree,
    t text COLLATE app.loose, j json, jb jsonb, x numeric, y numeric(12,2), f double precision, g integer GENERATED ALWAYS AS (app.twice(2)) STORED,
    at timestamptz, i interval, u uuid, raw bytea, bits bit(5), ip inet, xm xml, cash money, ts tsvector, pos app.pos NOT NULL,
    FOREIGN KEY (a, b) REFERENCES app.other (a, b) MATCH FULL ON DELETE SET NULL DEFERRABLE, CONSTRAINT apart EXCLUDE USING gist (a WITH =, span WITH &&), CHECK (app.twice(pos) > 0))
    WITH (fillfactor = 80);
  INSERT INTO app.ware (a, b, p, ps, r, rs, span, mr, kind, c, h, l, t, j, jb, x, y, f, at, i, u, raw, bits, ip, xm, cash, ts, pos) VALUES
    (1, 2, ROW(3, 'a,"b"', '{sad}'), ARRAY[ROW(4, NULL, NULL)::app.pair, NULL], '[1.5,2)', '{[1,2),[3,4)}', '[2024-01-01,infinity)', '{[1,3)}', 'sad', 'MiXed', '"a"=>NULL', 'Top.X',
     'Ä', '{"a": 1,  "a":2}', '{"b": 2.50}', 'NaN', -0.01, '-0', '-infinity', '1 mon -1 day 00:00:00.000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '\\x00ff', B'10101', '10.0.0.1/8',
     '<?xml version="1.0" encoding="UTF-8"?><a/>', '-1.05', 'a:1A', 1),
    (NULL, NULL, ROW(NULL, NULL, NULL), '{}', 'empty', '{}', NULL, NULL, NULL, '', '', '', '', 'null', '1', '-Infinity', NULL, 'NaN', '4713-01-01 BC', '-5 years', NULL, '', NULL, '::1', '', NULL, '', 2);
  CREATE INDEX by_twice ON app.ware (app.twice(pos) DESC) INCLUDE (a) WHERE kind = 'sad'; ALTER TABLE app.ware ADD CONSTRAINT later CHECK (pos > 900) NOT VALID;
  CREATE STATISTICS app.both ON a, b FROM app.ware; ALTER TABLE app.ware ENABLE ROW LEVEL SECURITY; CREATE POLICY some_rows ON app.ware USING (pos > 0);
  CREATE TRIGGER noting BEFORE UPDATE OF t ON app.ware FOR EACH ROW WHEN (new.pos > 1) EXECUTE FUNCTION app.noted(); COMMENT ON COLUMN app.ware.t IS 'text';
  CREATE RULE quiet AS ON DELETE TO app.ware WHERE old.pos = 999 DO INSTEAD NOTHING; CREATE PUBLICATION news FOR TABLE app.ware;
  CREATE TABLE app.log (id integer, day date NOT NULL, line text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
  CREATE TABLE app.log_1 PARTITION OF app.log FOR VALUES FROM ('2024-01-01') TO ('2024-02-01') WITH (fillfactor = 50);
  CREATE TABLE app.log_2 PARTITION OF app.log DEFAULT PARTITION BY HASH (id); CREATE TABLE app.log_3 PARTITION OF app.log_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
  CREATE INDEX by_line ON app.log (line); INSERT INTO app.log SELECT i, date '2024-01-01' + i, 'line ' || i FROM generate_series(1, 60) i;`

const TEXTS = (name: string) => `SELECT t::text AS row FROM app.${name} t ORDER BY 1`
const ran: string[] = []
const skipped: string[] = []
const clusters: Promise<Cluster>[] = []

afterAll(async () => {
  process.stdout.write(`PostgreSQL versions captured and restored: ${ran.join('; ')}\n`)
  for (const line of skipped) process.stdout.write(`SKIPPED: ${line}\n`)
  for (const cluster of clusters) await (await cluster).stop()
})

/** Null where there is no such server for this platform, which is said at the end. */
async function openVersion(major: string, seed: string): Promise<TestDatabase | null> {
  const version = VERSIONS[major]
  const found = version === undefined ? {} : installVersion(version)
  if ('reason' in found) {
    skipped.push(`PostgreSQL ${major}: ${found.reason}`)
    return null
  }
  const cluster = startCluster(found)
  clusters.push(cluster)
  return await createTestDatabase(seed, (await cluster).urlFor('postgres'))
}

const versionOf = async (db: TestDatabase) => String((await db.run('SHOW server_version'))[0]?.['server_version'])

test.for([...Object.keys(VERSIONS), NEWEST])('PostgreSQL %s gives back what was captured on it', async (major) => {
  const db = await openVersion(major, SEED)
  if (db === null) return
  const slice = await openTestRecovery(db.database)
  for (const relation of [WARE, LOG]) {
    const before = await captureManifest(slice, relation)
    const rows = await db.run(TEXTS(relation.name))
    expect(rows.length).toBeGreaterThan(1)
    await db.run(`DROP TABLE app.${relation.name} CASCADE`)
    await bringBack(db, slice, before)
    expect(await db.run(TEXTS(relation.name))).toEqual(rows)
    const after = await captureManifest(slice, relation)
    expect(after.content).toEqual(before.content)
    expect(comparable(after)).toEqual(comparable(before))
  }
  ran.push(await versionOf(db))
  await slice.close()
  await db.drop()
})

test('what was captured on PostgreSQL 14 comes back on 18, with the types and functions that it needs', async () => {
  const old = await openVersion('14', SEED)
  const next = await openVersion(NEWEST, EXTENSIONS)
  if (old === null || next === null) return
  const source = await openTestRecovery(old.database)
  const target = await openTestRecovery(next.database, { folder: source.folder })
  for (const relation of [WARE, LOG]) {
    const { snapshotId } = await captureManifest(source, relation)
    const report = await target.recovery.restore({
      snapshotId,
      target: { schema: 'app', name: `${relation.name}_now` },
    })
    const missing = report.notRebuilt.filter(({ subject }) =>
      /^(type|function|primary key|index|trigger|policy)/.test(subject),
    )
    expect(missing).toEqual([])
    expect(await next.run(TEXTS(`${relation.name}_now`))).toEqual(await old.run(TEXTS(relation.name)))
  }
  ran.push(`${await versionOf(old)} on ${await versionOf(next)}`)
  await target.close()
  await source.close()
  await next.drop()
  await old.drop()
})
