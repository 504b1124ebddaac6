/** Writes of every kind: each is carried out, undone, and undone again. */
export interface UndoCase {
  readonly title: string
  readonly seed: string
  readonly write: string
  /** Rows that change, net: as the pre-image counts them. */
  readonly rows: number
}

/** Roles are the whole cluster's: files that run beside each other have one each. */
const WRITER = `undo_writer_${process.pid}`
const T = `CREATE TABLE t (id int PRIMARY KEY, v text, n int); INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 10) i;`

export const CASES: readonly UndoCase[] = [
  { title: 'UPDATE of some rows', seed: T, write: `UPDATE t SET v = v || '!', n = n + 1 WHERE id <= 3`, rows: 3 },
  { title: 'UPDATE of all rows', seed: T, write: `UPDATE t SET n = 0`, rows: 10 },
  { title: 'UPDATE to NULL', seed: T, write: `UPDATE t SET v = NULL WHERE id = 1`, rows: 1 },
  { title: 'DELETE', seed: T, write: `DELETE FROM t WHERE id > 7`, rows: 3 },
  { title: 'DELETE of all rows', seed: T, write: `DELETE FROM t`, rows: 10 },
  { title: 'INSERT', seed: T, write: `INSERT INTO t VALUES (11, 'x', 1), (12, NULL, NULL)`, rows: 2 },
  {
    title: 'INSERT … ON CONFLICT DO UPDATE',
    seed: T,
    write: `INSERT INTO t VALUES (1, 'up', 0), (99, 'new', 0) ON CONFLICT (id) DO UPDATE SET v = excluded.v`,
    rows: 2,
  },
  {
    title: 'INSERT … ON CONFLICT DO NOTHING',
    seed: T,
    write: `INSERT INTO t VALUES (1, 'up', 0), (99, 'new', 0) ON CONFLICT DO NOTHING`,
    rows: 1,
  },
  {
    title: 'MERGE that inserts, updates and deletes',
    seed: T,
    write: `MERGE INTO t USING (VALUES (1, 'm'), (2, NULL), (50, 'n')) s(id, v) ON t.id = s.id
      WHEN MATCHED AND s.v IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
      WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v, 0)`,
    rows: 3,
  },
  {
    title: 'CTEs with several targets',
    seed: `${T} CREATE TABLE log (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);`,
    write: `WITH d AS (DELETE FROM t WHERE id <= 2 RETURNING *), u AS (UPDATE t SET n = 0 WHERE id = 9)
      INSERT INTO log (what) SELECT v FROM d`,
    rows: 5,
  },
  {
    title: 'ON DELETE CASCADE over three levels',
    seed: `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
      CREATE TABLE c (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE);
      INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (10, 1), (11, 1), (20, 2); INSERT INTO c VALUES (100, 10), (110, 11), (200, 20);`,
    write: `DELETE FROM a WHERE id = 1`,
    rows: 5,
  },
  {
    title: 'ON DELETE SET NULL and SET DEFAULT',
    seed: `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE SET NULL);
      CREATE TABLE c (id int PRIMARY KEY, a int DEFAULT 2 REFERENCES a ON DELETE SET DEFAULT);
      INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (10, 1), (20, 2); INSERT INTO c VALUES (100, 1), (200, 2);`,
    write: `DELETE FROM a WHERE id = 1`,
    rows: 3,
  },
  {
    title: 'ON UPDATE CASCADE of a key',
    seed: `CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON UPDATE CASCADE);
      INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (10, 1), (11, 1), (20, 2);`,
    write: `UPDATE a SET id = id + 100`,
    rows: 7,
  },
  {
    title: 'ON UPDATE CASCADE into a key of the child',
    seed: `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a ON UPDATE CASCADE ON DELETE CASCADE, n int, PRIMARY KEY (a, n));
      INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1), (1, 2);`,
    write: `UPDATE a SET id = 7`,
    rows: 6,
  },
  {
    title: 'keys that trade places through a deferrable key',
    seed: `CREATE TABLE t (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text); INSERT INTO t VALUES (1, 'a'), (2, 'b');`,
    write: `UPDATE t SET id = 3 - id`,
    rows: 2,
  },
  {
    title: 'keys that move by one',
    seed: T,
    write: `DO $$ BEGIN FOR i IN REVERSE 10..1 LOOP UPDATE t SET id = id + 1 WHERE id = i; END LOOP; END $$`,
    rows: 11,
  },
  {
    title: 'unique values that trade places',
    seed: `CREATE TABLE t (id int PRIMARY KEY, slot int UNIQUE); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);`,
    write: `DO $$ BEGIN UPDATE t SET slot = -1 WHERE id = 1; UPDATE t SET slot = 1 WHERE id = 2; UPDATE t SET slot = 2 WHERE id = 1; END $$`,
    rows: 2,
  },
  {
    title: 'a unique value that went to a new row',
    seed: `CREATE TABLE t (id int PRIMARY KEY, mail text UNIQUE); INSERT INTO t VALUES (1, 'x');`,
    write: `DO $$ BEGIN DELETE FROM t; INSERT INTO t VALUES (2, 'x'); END $$`,
    rows: 2,
  },
  {
    title: 'a trigger that writes a log and changes the row',
    seed: `${T} CREATE TABLE log (at timestamptz DEFAULT clock_timestamp(), what text);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log (what) VALUES (NEW.v); NEW.n = NEW.n * 2; RETURN NEW; END';
      CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();`,
    write: `UPDATE t SET v = 'x' WHERE id <= 2`,
    rows: 4,
  },
  {
    title: 'a trigger that changes other tables after the fact, in a sub-transaction',
    seed: `${T} CREATE TABLE total (one bool PRIMARY KEY, sum int); INSERT INTO total VALUES (true, 55);
      CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN BEGIN UPDATE total SET sum = sum + NEW.n - OLD.n; EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NULL; END';
      CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();`,
    write: `UPDATE t SET n = n + 1 WHERE id <= 4`,
    rows: 5,
  },
  {
    title: 'rows changed several times, and rows that came and went',
    seed: T,
    write: `DO $$ BEGIN UPDATE t SET n = 1; UPDATE t SET n = 2; INSERT INTO t VALUES (20, 'x', 1); DELETE FROM t WHERE id = 20;
      DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'back', 9); END $$`,
    rows: 9,
  },
  {
    title: 'sub-transactions, some of them rolled back',
    seed: T,
    write: `DO $$ BEGIN
      BEGIN UPDATE t SET n = -1 WHERE id = 1; EXCEPTION WHEN others THEN NULL; END;
      BEGIN UPDATE t SET n = -2 WHERE id = 2; PERFORM 1 / 0; EXCEPTION WHEN others THEN NULL; END;
      BEGIN DELETE FROM t WHERE id = 3; EXCEPTION WHEN others THEN NULL; END; END $$`,
    rows: 2,
  },
  {
    title: 'a rule that writes elsewhere',
    seed: `${T} CREATE TABLE gone (id int PRIMARY KEY, v text); CREATE VIEW shown AS SELECT * FROM t;
      CREATE RULE r AS ON DELETE TO shown DO INSTEAD (INSERT INTO gone SELECT id, v FROM t WHERE id = OLD.id; DELETE FROM t WHERE id = OLD.id);`,
    write: `DELETE FROM shown WHERE id = 4`,
    rows: 2,
  },
  {
    title: 'partitions: rows that move',
    seed: `CREATE TABLE p (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY RANGE (k);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
      INSERT INTO p SELECT i, i, 'v' FROM generate_series(1, 15) i;`,
    write: `UPDATE p SET k = 19 - k, v = 'moved' WHERE id IN (2, 3, 12)`,
    rows: 6,
  },
  {
    title: 'partitions: a move that keeps the key, and what refers to it',
    seed: `CREATE TABLE p (id int, k int, v text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
      CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 (v text, k int NOT NULL, id int NOT NULL); ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
      INSERT INTO p VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 1, 'c');`,
    write: `WITH d AS (DELETE FROM p WHERE id = 3) UPDATE p SET v = v || v`,
    rows: 3,
  },
  {
    title: 'inheritance without partitions',
    seed: `CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (extra int) INHERITS (parent);
      INSERT INTO parent VALUES (1, 'a'); INSERT INTO child VALUES (1, 'b', 5), (2, 'c', 6);`,
    write: `UPDATE parent SET v = v || '!'`,
    rows: 5,
  },
  {
    title: 'generated and identity columns',
    seed: `CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, other int GENERATED BY DEFAULT AS IDENTITY);
      INSERT INTO t (n) SELECT i FROM generate_series(1, 5) i;`,
    write: `WITH d AS (DELETE FROM t WHERE n = 1), i AS (INSERT INTO t (n) VALUES (70)) UPDATE t SET n = n + 10 WHERE n IN (2, 3)`,
    rows: 4,
  },
  {
    title: 'an identity column that is not the key',
    seed: `CREATE TABLE t (code text PRIMARY KEY, serial int GENERATED ALWAYS AS IDENTITY, v int); INSERT INTO t (code, v) VALUES ('a', 1), ('b', 2);`,
    write: `DO $$ BEGIN DELETE FROM t WHERE code = 'a'; INSERT INTO t (code, v) VALUES ('a', 9); END $$`,
    rows: 1,
  },
  {
    title: 'no primary key, with equal rows',
    seed: `CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (1, 'x'), (1, 'x'), (2, NULL), (NULL, NULL);`,
    write: `WITH d AS (DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = 1 LIMIT 2)) UPDATE t SET b = 'y' WHERE a IS NULL OR a = 2`,
    rows: 6,
  },
  {
    title: 'a unique key instead of a primary one',
    seed: `CREATE TABLE t (code text NOT NULL UNIQUE, v int); INSERT INTO t VALUES ('a', 1), ('b', 2), ('c', 3);`,
    write: `UPDATE t SET v = v + 1 WHERE code <> 'a'`,
    rows: 2,
  },
  {
    title: 'values in TOAST, changed and not changed',
    seed: `CREATE TABLE t (id int PRIMARY KEY, big text, n int); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;
      INSERT INTO t SELECT i, repeat(md5(i::text), 3000), i FROM generate_series(1, 4) i;`,
    write: `WITH a AS (UPDATE t SET n = 0 WHERE id = 1), b AS (UPDATE t SET big = 'small' WHERE id = 2) DELETE FROM t WHERE id = 3`,
    rows: 3,
  },
  {
    title: 'deferred foreign keys in a circle',
    seed: `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
      ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED;
      BEGIN; INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); COMMIT;`,
    write: `WITH x AS (DELETE FROM a) DELETE FROM b`,
    rows: 2,
  },
  {
    title: 'foreign keys in a circle that are not deferrable',
    seed: `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
      ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; WITH x AS (INSERT INTO a VALUES (1, 1)) INSERT INTO b VALUES (1, 1);`,
    write: `WITH x AS (DELETE FROM a) DELETE FROM b`,
    rows: 2,
  },
  {
    title: 'a row that refers to itself, and a tree',
    seed: `CREATE TABLE n (id int PRIMARY KEY, up int REFERENCES n); INSERT INTO n VALUES (1, 1), (2, 1), (3, 2), (4, 3);`,
    write: `DELETE FROM n WHERE id >= 2`,
    rows: 3,
  },
  {
    title: 'a child that went to a new parent',
    seed: `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
      INSERT INTO a VALUES (1); INSERT INTO b VALUES (10, 1);`,
    write: `DO $$ BEGIN INSERT INTO a VALUES (2); UPDATE b SET a = 2; DELETE FROM a WHERE id = 1; END $$`,
    rows: 3,
  },
  {
    title: 'row security that hides rows from the writer',
    seed: `${T} DROP ROLE IF EXISTS ${WRITER}; CREATE ROLE ${WRITER}; GRANT ALL ON t TO ${WRITER}; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
      CREATE POLICY p ON t FOR UPDATE TO ${WRITER} USING (n <= 5) WITH CHECK (true); CREATE POLICY s ON t FOR SELECT TO ${WRITER} USING (n <= 5);`,
    write: `SET LOCAL ROLE ${WRITER}; UPDATE t SET n = n WHERE n = 3; UPDATE t SET v = 'hidden' WHERE n >= 4`,
    rows: 2,
  },
  {
    title: 'names that need quotes, in another schema',
    seed: `CREATE SCHEMA "Odd ""s"; CREATE TYPE "Odd ""s"."My ""Type" AS ENUM ('it''s', 'b');
      CREATE TABLE "Odd ""s"."T;--" ("Id "" x" int PRIMARY KEY, "select" "Odd ""s"."My ""Type"); INSERT INTO "Odd ""s"."T;--" VALUES (1, 'it''s'), (2, 'b');`,
    write: `WITH d AS (DELETE FROM "Odd ""s"."T;--" WHERE "Id "" x" = 1) UPDATE "Odd ""s"."T;--" SET "select" = 'it''s' WHERE "Id "" x" = 2`,
    rows: 2,
  },
  {
    title: 'columns that were dropped and added',
    seed: `${T} ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN late text DEFAULT 'l', ADD w int;`,
    write: `WITH d AS (DELETE FROM t WHERE id = 1) UPDATE t SET late = 'x' WHERE id = 2`,
    rows: 2,
  },
  {
    title: 'a key of several columns, of types with their own equality',
    seed: `CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE t (a citext, b numeric, c timestamptz, v int, PRIMARY KEY (a, b, c));
      INSERT INTO t VALUES ('Key', 1.50, '2024-01-01', 1), ('Other', 2, 'infinity', 2);`,
    write: `WITH d AS (DELETE FROM t WHERE v = 2) UPDATE t SET v = 9 WHERE a = 'key'`,
    rows: 2,
  },
  {
    title: 'a key that only changes its case',
    seed: `CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE t (a citext PRIMARY KEY, v int); INSERT INTO t VALUES ('key', 1);`,
    write: `UPDATE t SET a = 'KEY'`,
    rows: 2,
  },
  {
    title: 'unlogged tables and COPY-like bulk',
    seed: `CREATE UNLOGGED TABLE t (id int PRIMARY KEY, v text);`,
    write: `INSERT INTO t SELECT i, 'v' FROM generate_series(1, 2000) i`,
    rows: 2000,
  },
]
