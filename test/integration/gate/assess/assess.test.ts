import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assess, classify, loadClassifier, parsePolicy } from '#lib/gate/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const SEED = `
CREATE TABLE parent (id int PRIMARY KEY, note text);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE grandchild (id int, child_id int REFERENCES child ON DELETE SET NULL);
CREATE TABLE bystander (id int REFERENCES parent);
INSERT INTO parent SELECT i, 'n' FROM generate_series(1, 5000) i;
CREATE TABLE measured (id int PRIMARY KEY, v int);
INSERT INTO measured SELECT i, i FROM generate_series(1, 100) i;
CREATE TABLE stale (id int PRIMARY KEY); INSERT INTO stale SELECT generate_series(1, 12000);
UPDATE pg_class SET reltuples = 1e6, relpages = 4000 WHERE relname = 'stale';
CREATE TABLE parted (id int, k int) PARTITION BY LIST (k);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE TABLE people (id int PRIMARY KEY, email text, name text);
CREATE VIEW people_view AS SELECT id, email AS contact FROM people;
CREATE VIEW names_view AS SELECT id, name FROM people;

CREATE FUNCTION stable_sql(a int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM parent WHERE id < a';
CREATE FUNCTION stable_plpgsql(a int) RETURNS int LANGUAGE plpgsql STABLE AS 'DECLARE r int; BEGIN SELECT count(*) INTO r FROM parent WHERE id < a; RETURN r; END';
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'DELETE FROM parent RETURNING id';
CREATE FUNCTION truncates() RETURNS void LANGUAGE plpgsql AS 'BEGIN TRUNCATE measured; END';
CREATE FUNCTION lying(pid int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT pg_terminate_backend(pid)';
CREATE FUNCTION nested_lying(pid int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT lying(pid)';
CREATE FUNCTION definer() RETURNS int LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION dynamic(q text) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN EXECUTE q; RETURN 1; END';
CREATE VIEW innocent AS SELECT id, lying(id) FROM parent;
CREATE VIEW outer_view AS SELECT * FROM innocent;
CREATE VIEW plain_view AS SELECT id FROM parent;
CREATE FUNCTION op_writes(text, text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN DELETE FROM parent; RETURN true; END';
CREATE OPERATOR ### (LEFTARG = text, RIGHTARG = text, FUNCTION = op_writes);
CREATE FUNCTION length(parent) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE TABLE guarded (id int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (lying(id));
CREATE FUNCTION step(int, int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1 + $2';
CREATE AGGREGATE my_sum(int) (SFUNC = step, STYPE = int, INITCOND = '0');
CREATE DOMAIN checked AS int CHECK (VALUE > 0 AND pg_sleep(0) IS NOT NULL);
CREATE TYPE shade AS (v int);
CREATE FUNCTION to_shade(int) RETURNS shade LANGUAGE sql VOLATILE AS 'SELECT ROW($1)::shade';
CREATE CAST (int AS shade) WITH FUNCTION to_shade(int);
`

let db: TestDatabase
beforeAll(async () => {
  await loadClassifier()
  db = await createTestDatabase(SEED)
})
afterAll(() => db.drop())

function policyOf(fields: object) {
  const parsed = parsePolicy(JSON.stringify(fields))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.policy
}

async function assessed(sql: string, fields: object = {}) {
  const statement = classify(sql)
  if (!statement.ok) throw new Error(statement.message)
  return db.database.withSession(async (session) => {
    await session.execute('BEGIN READ ONLY')
    return assess(session, sql, [], statement, policyOf(fields))
  })
}

const codes = (assessment: Awaited<ReturnType<typeof assessed>>) => assessment.findings.map((finding) => finding.code)

describe('functions that a read reaches', () => {
  const safe = ['SELECT stable_sql(10)', 'SELECT stable_plpgsql(id) FROM parent LIMIT 3', 'SELECT * FROM plain_view']
  it.each(safe)('leaves %s SAFE', async (sql) => {
    expect(await assessed(sql)).toMatchObject({ level: 'SAFE', findings: [] })
  })

  const raised: readonly (readonly [sql: string, code: string])[] = [
    ['SELECT writes()', 'volatile-function'],
    ['SELECT lying(1)', 'function-reaches-other-session'],
    ['SELECT nested_lying(1)', 'function-reaches-other-session'],
    ['SELECT definer()', 'security-definer-function'],
    ["SELECT dynamic('x')", 'function-reaches-dynamic-sql'],
    ['SELECT * FROM innocent', 'function-reaches-other-session'],
    ['SELECT id FROM outer_view', 'function-reaches-other-session'],
    ["SELECT 'a'::text ### 'b'::text", 'volatile-function'],
    ['SELECT length(p) FROM parent p', 'volatile-function'],
    ['SELECT * FROM guarded', 'function-reaches-other-session'],
    ['SELECT my_sum(id) FROM parent', 'volatile-function'],
    ['SELECT 5::checked', 'domain-reaches-holds-connection'],
    ['SELECT 5::shade', 'volatile-function'],
    ['SELECT truncates()', 'volatile-function'],
  ]
  it.each(raised)('raises %s for %s', async (sql, code) => {
    const assessment = await assessed(sql)
    expect(['HIGH', 'IMPACT_CRITICAL', 'CRITICAL']).toContain(assessment.level)
    expect(codes(assessment)).toContain(code)
  })

  it('names a function that does not exist', async () => {
    expect(await assessed('SELECT no_such_function(1)')).toMatchObject({ unknownFunctions: ['no_such_function'] })
  })

  it('counts the table that a function truncates among the losing ones', async () => {
    expect((await assessed('SELECT truncates()')).losingTables).toEqual([{ schema: 'public', name: 'measured' }])
  })
})

describe('impact', () => {
  it('counts exactly what the predicate reaches, and its share', async () => {
    const assessment = await assessed('UPDATE measured SET v = 0 WHERE id <= 40')
    expect(assessment.impact).toEqual({ method: 'counted', rowCount: 40, tableRowCount: 100, percent: 40 })
    expect(assessment.level).toBe('LOW')
  })

  it('raises a write that passes the share of rows', async () => {
    const assessment = await assessed('DELETE FROM measured WHERE id <= 60')
    expect(assessment).toMatchObject({ level: 'IMPACT_CRITICAL', impact: { rowCount: 60, percent: 60 } })
  })

  it('raises a write that passes the number of rows', async () => {
    expect(
      await assessed('DELETE FROM parent WHERE id <= 1001', { max_write_percent_without_critical: 100 }),
    ).toMatchObject({
      level: 'IMPACT_CRITICAL',
      impact: { method: 'counted', rowCount: 1001 },
    })
  })

  it('counts the table as far as the shares that the policy lets pass depend on it, and not on statistics that are wrong', async () => {
    const sizeUnder = async (fields: object) =>
      (await assessed('DELETE FROM stale WHERE id = 1', fields)).impact.tableRowCount
    expect(await sizeUnder({ max_write_rows_without_critical: 10_000, max_write_percent_without_critical: 50 })).toBe(
      12_000,
    )
    expect(await sizeUnder({ max_write_rows_without_critical: 1_000, max_write_percent_without_critical: 5 })).toBe(
      12_000,
    )
    expect(await sizeUnder({})).toBeGreaterThan(12_000)
  })

  it('is unknown where the predicate calls something that planning would already run', async () => {
    const assessment = await assessed('DELETE FROM parent WHERE id < 10 AND lying(id)')
    expect(assessment.impact.method).toBe('unknown')
  })

  it('never lowers a CRITICAL statement', async () => {
    expect((await assessed('DELETE FROM measured')).level).toBe('CRITICAL')
  })
})

describe('losing tables', () => {
  const losing = async (sql: string) => (await assessed(sql)).losingTables.map((table) => table.name)

  it('follows ON DELETE actions through every generation', async () => {
    expect(await losing('DELETE FROM parent')).toEqual(['child', 'grandchild', 'parent'])
  })
  it('follows TRUNCATE … CASCADE through every foreign key', async () => {
    expect(await losing('TRUNCATE parent CASCADE')).toEqual(['bystander', 'child', 'grandchild', 'parent'])
  })
  it('drops a table alone, whatever points at it', async () => {
    expect(await losing('DROP TABLE parent CASCADE')).toEqual(['parent'])
  })
  it('counts every partition and no partitioned parent', async () => {
    expect(await losing('TRUNCATE parted')).toEqual(['parted_1', 'parted_2'])
  })
})

describe('protection', () => {
  const fields = { protected_columns: { people: ['email'] }, protected_tables: ['bystander'] }
  it.each([
    'SELECT email FROM people',
    'SELECT * FROM people',
    'SELECT p.* FROM people p',
    'SELECT to_jsonb(p) FROM people p',
    'SELECT name FROM people WHERE email LIKE $$a%$$',
    'SELECT contact FROM people_view',
    'TABLE people',
    'WITH q AS (SELECT * FROM people) SELECT name FROM q',
  ])('raises %s', async (sql) => {
    expect(await assessed(sql, fields)).toMatchObject({ level: 'HIGH', protectedColumns: ['people.email'] })
  })
  it.each(['SELECT name FROM people', 'SELECT name FROM names_view', 'SELECT count(*) FROM people'])(
    'leaves %s alone',
    async (sql) => {
      expect(await assessed(sql, fields)).toMatchObject({ level: 'SAFE', protectedColumns: [] })
    },
  )
  it('raises a write to a protected column further than a read', async () => {
    expect(await assessed('UPDATE people SET email = $$x$$ WHERE id = 1', fields)).toMatchObject({
      level: 'IMPACT_CRITICAL',
    })
    expect(await assessed('DELETE FROM people WHERE id = 1', fields)).toMatchObject({ level: 'IMPACT_CRITICAL' })
    expect(await assessed('UPDATE people SET name = $$x$$ WHERE id = 1', fields)).toMatchObject({
      protectedColumns: [],
    })
  })
  it('raises whatever touches a protected table', async () => {
    expect(await assessed('SELECT id FROM bystander', fields)).toMatchObject({
      level: 'HIGH',
      protectedTable: 'public.bystander',
    })
    expect(await assessed('INSERT INTO bystander VALUES (1)', fields)).toMatchObject({ level: 'IMPACT_CRITICAL' })
  })
})
