/** All that a table can have, dropped with everything around it, comes back as the catalog had it. */
import { afterEach, expect, test } from 'vitest'
import { parquet } from '#lib/adapters/parquet/index.ts'
import type { RelationName } from '#lib/kernel/index.ts'
import { decodeManifest, encodeManifest } from '#lib/recovery/manifest/index.ts'
import { runRestore } from '#lib/recovery/restore/index.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'
import { bringBack, captureManifest, comparable } from '#test/support/recovery/bring-back.ts'
import type { TestRecovery } from '#test/support/recovery/open.ts'
import { openTestRecovery } from '#test/support/recovery/open.ts'

let db: TestDatabase
let slice: TestRecovery
let role: string

afterEach(async () => {
  await slice?.close()
  await db?.drop()
})

async function open(seed: (role: string) => string): Promise<void> {
  db = await createTestDatabase()
  role = `reader_${db.name}`
  await db.run(`CREATE ROLE ${role}; ${seed(role)}`)
  slice = await openTestRecovery(db.database)
}

const captured = (relation: RelationName) => captureManifest(slice, relation)

const RICH = (reader: string) => `
  CREATE SCHEMA app; SET search_path TO app; CREATE EXTENSION btree_gist SCHEMA public;
  CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN pos AS integer CHECK (VALUE > 0);
  CREATE FUNCTION twice(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
  CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
  CREATE FUNCTION seen() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN true; END $$;
  CREATE TABLE other (a integer, b integer, during daterange, PRIMARY KEY (a, b), UNIQUE (b, during WITHOUT OVERLAPS));
  INSERT INTO other VALUES (1, 2, '[2024-01-01,2025-01-01)');
  CREATE TABLE ware (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 7 INCREMENT BY 3 CACHE 5),
    n serial, gone text, a integer, b integer, self bigint, kind mood DEFAULT 'ok', p pos CONSTRAINT has_p NOT NULL NO INHERIT,
    maybe integer, body text COMPRESSION pglz COLLATE "C", g integer GENERATED ALWAYS AS (twice(p)) STORED,
    v bigint GENERATED ALWAYS AS (id + 1) VIRTUAL, span daterange, room integer,
    CONSTRAINT ware_pk PRIMARY KEY (id) INCLUDE (n) WITH (fillfactor = 70),
    CONSTRAINT once UNIQUE NULLS NOT DISTINCT (n, maybe) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT two_keys FOREIGN KEY (a, b) REFERENCES other (a, b) MATCH FULL ON DELETE SET NULL (a) ON UPDATE CASCADE DEFERRABLE,
    CONSTRAINT over_time FOREIGN KEY (b, PERIOD span) REFERENCES other (b, PERIOD during),
    CONSTRAINT myself FOREIGN KEY (self) REFERENCES ware NOT ENFORCED,
    CONSTRAINT no_overlap UNIQUE (room, span WITHOUT OVERLAPS),
    CONSTRAINT apart EXCLUDE USING gist (room WITH =, span WITH &&) WHERE (room > 5),
    CONSTRAINT small CHECK (p < 1000) NO INHERIT, CONSTRAINT wish CHECK (p < 0) NOT ENFORCED
  ) WITH (fillfactor = 80, toast.autovacuum_enabled = false);
  ALTER TABLE ware DROP COLUMN gone;
  INSERT INTO ware (a, b, p, body, span, room) VALUES (1, 2, 5, 'x', '[2024-02-01,2024-03-01)', 1), (NULL, NULL, 6, NULL, '[2024-02-01,2024-03-01)', 2);
  ALTER TABLE ware ADD CONSTRAINT later CHECK (p > 900) NOT VALID, ADD CONSTRAINT now_there NOT NULL maybe NOT VALID;
  ALTER TABLE ware ALTER body SET STORAGE EXTERNAL, ALTER p SET STATISTICS 77, ALTER p SET (n_distinct = -0.5), REPLICA IDENTITY USING INDEX ware_pk;
  CREATE INDEX by_twice ON ware USING btree (twice(p) DESC NULLS LAST, body text_pattern_ops) INCLUDE (a) WITH (fillfactor = 60) WHERE kind = 'ok';
  CREATE INDEX by_room ON ware (room); ALTER TABLE ware CLUSTER ON by_room;
  CREATE STATISTICS app.both (dependencies, mcv) ON a, (twice(p)) FROM ware; ALTER STATISTICS app.both SET STATISTICS 55; COMMENT ON STATISTICS app.both IS 'stat';
  CREATE TRIGGER noting AFTER UPDATE ON ware REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION noted();
  CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON ware DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.p > 3) EXECUTE FUNCTION noted('a''b');
  CREATE TRIGGER off BEFORE INSERT OR UPDATE OF p, body ON ware FOR EACH ROW EXECUTE FUNCTION noted();
  ALTER TABLE ware DISABLE TRIGGER off, ENABLE ALWAYS TRIGGER noting;
  CREATE RULE quiet AS ON DELETE TO ware WHERE old.p = 999 DO INSTEAD NOTHING; ALTER TABLE ware DISABLE RULE quiet; COMMENT ON RULE quiet ON ware IS 'rule';
  CREATE POLICY readers ON ware AS RESTRICTIVE FOR SELECT TO ${reader}, PUBLIC USING (seen() AND p > 0);
  CREATE POLICY writers ON ware FOR INSERT TO ${reader} WITH CHECK (p > 0);
  ALTER TABLE ware ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  GRANT SELECT, INSERT ON ware TO ${reader} WITH GRANT OPTION; GRANT UPDATE (p, body) ON ware TO ${reader}; GRANT SELECT ON ware TO PUBLIC;
  COMMENT ON TABLE ware IS 'it''s a table'; COMMENT ON COLUMN ware.p IS 'column'; COMMENT ON CONSTRAINT small ON ware IS 'constraint';
  COMMENT ON INDEX by_twice IS 'index'; COMMENT ON TRIGGER noting ON ware IS 'trigger'; COMMENT ON POLICY readers ON ware IS 'policy';
  CREATE PUBLICATION news FOR TABLE ware (id, p) WHERE (id > 0); CREATE PUBLICATION all_of_it FOR ALL TABLES;
  CREATE TABLE pointing (ware bigint REFERENCES ware ON DELETE CASCADE);`

const WARE = { schema: 'app', name: 'ware' }

test('a table with everything on it', async () => {
  await open(RICH)
  const before = await captured(WARE)
  const content = await db.run('SELECT * FROM app.ware ORDER BY id')
  expect(before.definition.columns.length).toBe(13)
  expect(before.definition.publications).toEqual([{ name: 'news', columns: ['id', 'p'], where: '(id > 0)' }])
  await db.run(
    'DROP TABLE app.ware CASCADE; DROP TYPE app.mood; DROP FUNCTION app.twice, app.seen, app.noted; DROP DOMAIN app.pos',
  )
  const report = await bringBack(db, slice, before)
  expect(report.notRebuilt.map(({ subject }) => subject).sort()).toEqual([
    'foreign key pointing_ware_fkey of app.pointing',
    'publication news',
    'rule quiet',
    'statistics both',
  ])
  expect(await db.run('SELECT * FROM app.ware ORDER BY id')).toEqual(content)
  const after = await captured(WARE)
  expect(comparable(after)).toEqual(comparable(before))
  expect(after.content).toEqual(before.content)
  await db.run('DROP PUBLICATION all_of_it')
})

const TREE = (reader: string) => `
  CREATE SCHEMA app; CREATE SCHEMA cold; SET search_path TO app;
  CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
  CREATE TABLE log (id integer GENERATED BY DEFAULT AS IDENTITY, day date NOT NULL, region text DEFAULT 'eu', line text, PRIMARY KEY (id, day, region)) PARTITION BY RANGE (day) USING heap;
  CREATE TABLE log_old PARTITION OF log FOR VALUES FROM (MINVALUE) TO ('2024-01-01') WITH (fillfactor = 50);
  CREATE UNLOGGED TABLE cold.log_old PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
  CREATE TABLE "log ""2""" PARTITION OF log FOR VALUES FROM ('2024-02-01') TO ('2025-01-01') PARTITION BY LIST (region);
  CREATE TABLE log_2_eu PARTITION OF "log ""2""" FOR VALUES IN ('eu', NULL) PARTITION BY HASH (id);
  CREATE TABLE log_2_eu_0 PARTITION OF log_2_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE log_2_eu_1 PARTITION OF log_2_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1);
  CREATE TABLE log_2_rest PARTITION OF "log ""2""" DEFAULT;
  CREATE TABLE late (line text, region text NOT NULL, gone integer, day date NOT NULL, id integer NOT NULL); ALTER TABLE late DROP COLUMN gone;
  ALTER TABLE log ATTACH PARTITION late FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
  CREATE INDEX by_line ON log (line); CREATE INDEX only_here ON log_old (region, line);
  ALTER TABLE log_2_eu_0 ADD CONSTRAINT short CHECK (length(line) < 100); ALTER TABLE log_2_rest ALTER region SET DEFAULT 'us';
  CREATE TRIGGER everywhere BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION noted();
  CREATE TRIGGER here BEFORE INSERT ON log_old FOR EACH ROW EXECUTE FUNCTION noted();
  ALTER TABLE log_old ENABLE ROW LEVEL SECURITY; CREATE POLICY lines ON log_old TO ${reader} USING (true); GRANT SELECT ON log_old TO ${reader};
  COMMENT ON TABLE log_2_rest IS 'the rest'; ALTER TABLE log_2_eu_1 ALTER line SET STORAGE EXTERNAL;
  INSERT INTO log (day, region, line) SELECT date '2023-10-01' + i, (ARRAY['eu', 'us', 'asia'])[1 + i % 3], 'line ' || i FROM generate_series(1, 400) i;
  INSERT INTO log (day, line) VALUES ('2026-05-05', 'late');`

const ROUTED =
  "SELECT tableoid::regclass::text AS place, count(*)::integer AS rows, md5(string_agg(t::text, E'\\n' ORDER BY id)) AS content FROM app.log t GROUP BY 1 ORDER BY 1"

test('a tree of partitions, each with what is its own, and every row in its place', async () => {
  await open(TREE)
  const before = await captured({ schema: 'app', name: 'log' })
  const routed = await db.run(ROUTED)
  expect(routed.length).toBeGreaterThan(4)
  await db.run('DROP TABLE app.log')
  const report = await bringBack(db, slice, before)
  expect(report.notRebuilt).toEqual([])
  // Columns of the table that was attached lie in the order of the tree now.
  expect(await db.run(ROUTED.replace('t::text', '(id, day, region, line)::text'))).toHaveLength(routed.length)
  const places = (rows: Record<string, unknown>[]) => rows.map(({ place, rows: count }) => [place, count])
  expect(places(await db.run(ROUTED))).toEqual(places(routed))
  const after = await captured({ schema: 'app', name: 'log' })
  expect(after.content).toEqual(before.content)
  expect(comparable(after)).toEqual(comparable(before))
})

test('a tree is restored beside the one that stands, and in another schema', async () => {
  await open(TREE)
  const before = await captured({ schema: 'app', name: 'log' })
  await db.run('CREATE SCHEMA lab')
  const target = { schema: 'lab', name: 'log_copy' }
  const report = await slice.recovery.restore({ snapshotId: before.snapshotId, target })
  expect(report.notRebuilt).toEqual([])
  const found = await db.run(`SELECT count(*)::integer AS partitions FROM pg_partition_tree('lab.log_copy')`)
  expect(found).toEqual([{ partitions: before.definition.partitions.length + 1 }])
  expect((await slice.recovery.planCopyback(before.snapshotId, target)).kind).toBe('nothing-to-do')
})

test('a leaf whose triggers, keys, checks and identity come from above takes its place again', async () => {
  await open(
    () => `CREATE SCHEMA app; CREATE TABLE app.owner (id integer PRIMARY KEY); INSERT INTO app.owner VALUES (1);
      CREATE FUNCTION app.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
      CREATE TABLE app.log (id integer GENERATED ALWAYS AS IDENTITY, day date NOT NULL, owner integer REFERENCES app.owner, CHECK (owner < 100), PRIMARY KEY (id, day))
        PARTITION BY RANGE (day);
      CREATE TABLE app.leaf PARTITION OF app.log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      CREATE TRIGGER above BEFORE INSERT ON app.log FOR EACH ROW EXECUTE FUNCTION app.noted();
      CREATE TRIGGER own AFTER INSERT ON app.leaf FOR EACH ROW EXECUTE FUNCTION app.noted();
      CREATE INDEX by_owner ON app.log (owner);
      INSERT INTO app.log (day, owner) SELECT date '2024-01-01' + i, 1 FROM generate_series(1, 5) i`,
  )
  const before = await captured({ schema: 'app', name: 'leaf' })
  await db.run('DROP TABLE app.leaf')
  const report = await bringBack(db, slice, before)
  expect(report.notRebuilt).toEqual([
    { subject: 'trigger above', reason: 'it comes with the partitioned table above' },
    { subject: 'parent app.log', reason: 'the recovered table stands alone' },
  ])
  const after = await captured({ schema: 'app', name: 'leaf' })
  expect(after.content).toEqual(before.content)
  const own = ({ definition }: typeof before) => ({
    ...definition,
    constraints: definition.constraints.filter(({ isInherited }) => !isInherited),
    requires: [],
  })
  expect(own(after)).toEqual(own(before))
})

/** What manifests had no word of before. */
const NEWER = new Set([
  'requires',
  'publications',
  'securityLabels',
  'ofType',
  'firing',
  'target',
  'options',
  'isInherited',
  'readAs',
  'schema',
])

test('a manifest from before these fields is read and restored, a tree of partitions too', async () => {
  await open(TREE)
  const { definition, ...rest } = await captured({ schema: 'app', name: 'log' })
  const without = <T extends object>(one: T) =>
    Object.fromEntries(Object.entries(one).filter(([name]) => !NEWER.has(name)))
  const older = {
    ...rest,
    definition: {
      ...without(definition),
      options: definition.options,
      indexes: definition.indexes.map(without),
      rules: definition.rules.map(without),
      statistics: definition.statistics.map(without),
      triggers: definition.triggers.map(({ isInherited: _above, ...trigger }) => trigger),
      partitions: definition.partitions.map(({ definition: _own, ...partition }) => partition),
    },
  }
  const { bytes, sha256 } = encodeManifest(older as never)
  expect(Buffer.from(bytes).toString()).not.toMatch(/"requires"|"publications"|"ofType"/)
  const sealed = decodeManifest(bytes, sha256)
  const target = { schema: 'app', name: 'log_older' }
  const ports = { database: db.database, objects: slice.objects, columnar: parquet }
  const report = await runRestore(sealed, { snapshotId: rest.snapshotId, target }, ports)
  expect(report).toMatchObject({ rowCount: 401, notRebuilt: [] })
  const found = await db.run(`SELECT count(*)::integer AS partitions FROM pg_partition_tree('app.log_older')`)
  expect(found).toEqual([{ partitions: definition.partitions.length + 1 }])
})
