import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AttackRole, openRange, PATIENT_TIMES, type Range } from '#test/support/hostile/range.ts'

const SEED = `
CREATE TABLE rows_of (id int PRIMARY KEY, v int);
INSERT INTO rows_of SELECT i, 0 FROM generate_series(1, 30) i;
CREATE FUNCTION h_set(r rows_of) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN set_config('work_mem', '9MB', false); END $$;
CREATE FUNCTION "h_é😀"(r rows_of) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN h_set(r); END $$;
CREATE FUNCTION "Hz"(r rows_of) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN h_set(r); END $$;
CREATE FUNCTION h_pair(int, int) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN set_config('work_mem', '9MB', false); END $$;
CREATE OPERATOR @@@@@@@@@@@@@@@@@@@@# (LEFTARG = int, RIGHTARG = int, FUNCTION = h_pair);
CREATE TABLE plain (id int, region text);
INSERT INTO plain SELECT i, 'eu' FROM generate_series(1, 50) i;
CREATE VIEW seen AS SELECT * FROM plain;
CREATE TABLE parted (id int, region text) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
INSERT INTO parted SELECT i, 'eu' FROM generate_series(1, 50) i;
CREATE TABLE parent (id int, region text);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child SELECT i, 'eu' FROM generate_series(1, 50) i;`

describe.each<AttackRole>(['ordinary', 'superuser'])('notation that hides what runs, by an agent as %s', (role) => {
  let range: Range
  beforeAll(async () => {
    range = await openRange({ role, seedSql: SEED, environment: { ...PATIENT_TIMES, BACKSTOP_MAX_CONNECTIONS: '1' } })
  })
  afterAll(() => range.stop())

  const CALLS = [
    'SELECT (r).h_set FROM rows_of r LIMIT 1',
    'SELECT (r).U&"h\\005fset" FROM rows_of r LIMIT 1',
    `SELECT (r).U&"h!005fset" UESCAPE '!' FROM rows_of r LIMIT 1`,
    'SELECT r.U&"h\\005fset" FROM rows_of r LIMIT 1',
    'SELECT (r).h_é😀 FROM rows_of r LIMIT 1',
    'SELECT (r)."Hz" FROM rows_of r LIMIT 1',
    'SELECT (SELECT r FROM rows_of r LIMIT 1).U&"\\0068_set"',
    'SELECT 1 FROM rows_of r WHERE (r).U&"h\\005fset" IS NOT NULL',
    'SELECT 1 @@@@@@@@@@@@@@@@@@@@# 2',
  ]
  it.each(CALLS)('is seen through: %s', async (sql) => {
    expect((await range.attack(sql)).body.result).toMatchObject({ status: 'approval_required' })
    const after = await range.attack("SELECT current_setting('work_mem') AS now")
    expect(after.body.result.rows).toEqual([{ now: '4MB' }])
  })

  it.each(['plain', 'seen', 'parted', 'parent'])(
    'does not get most of %s past the share that may change',
    async (name) => {
      const sql = `WITH d AS (DELETE FROM ${name} WHERE id < 45 RETURNING 1) SELECT count(*) FROM d`
      expect((await range.attack(sql)).body.result).toMatchObject({
        status: 'approval_required',
        safety_metadata: { affected_percent: 88 },
      })
      expect(await range.own(`SELECT count(*)::int AS n FROM ${name}`)).toEqual([{ n: 50 }])
    },
  )
})
