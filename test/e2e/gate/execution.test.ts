import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

const SEED = `
CREATE TABLE small (id int PRIMARY KEY, v int);
INSERT INTO small SELECT i, i FROM generate_series(1, 10) i;
CREATE TABLE big (id int PRIMARY KEY, v int);
INSERT INTO big SELECT i, i FROM generate_series(1, 5000) i;
CREATE TABLE late (id int PRIMARY KEY, small_id int REFERENCES small DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION fan_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE big SET v = v + 1; RETURN NEW; END';
CREATE TABLE trap (id int PRIMARY KEY, v int);
INSERT INTO trap SELECT i, i FROM generate_series(1, 100) i;
CREATE TRIGGER fan AFTER UPDATE ON trap FOR EACH ROW EXECUTE FUNCTION fan_out();
`

let t: TestProduct
beforeAll(async () => {
  t = await startTestProduct({
    seedSql: SEED,
    environment: { BACKSTOP_MAX_ROWS: '50', BACKSTOP_MAX_BYTES: '20000' },
  })
})
afterAll(() => t.stop())

const one = async (sql: string) => (await t.db.run(sql))[0]

async function approveAndRun(sql: string) {
  const held = await t.query(sql)
  expect(held).toMatchObject({ status: 'approval_required' })
  expect((await t.call('operator', 'POST', `/approve/${held.approval_id}`)).status).toBe(200)
  return t.query(sql)
}

describe('limits that the database and the wire enforce', () => {
  it('cuts a result off at the row limit and says so', async () => {
    const answer = await t.query('SELECT id FROM big ORDER BY id')
    expect(answer).toMatchObject({ status: 'executed', row_count: 50, truncated: { by: 'rows', limit: 50 } })
  })

  it('cuts a result off at the byte limit and says so', async () => {
    const answer = await t.query("SELECT repeat('x', 5000) FROM big LIMIT 40")
    expect(answer).toMatchObject({ status: 'executed', truncated: { by: 'bytes', limit: 20000 } })
    expect(answer.row_count).toBeLessThan(5)
  })

  it('stops a statement that runs too long', async () => {
    const hasty = await startTestProduct({ seedSql: SEED, environment: { BACKSTOP_STATEMENT_TIMEOUT_MS: '1500' } })
    try {
      const answer = await hasty.query('SELECT count(*) FROM big a, big b, big c, big d')
      expect(answer).toMatchObject({ status: 'failed', error: { code: 'EXECUTION_TIMEOUT', sql_state: '57014' } })
    } finally {
      await hasty.stop()
    }
  })

  it('keeps columns of the same name apart', async () => {
    expect(await t.query('SELECT 1 AS a, 2 AS a, 3 AS a_2')).toMatchObject({ columns: ['a', 'a_2', 'a_2_2'] })
  })

  it('binds parameters', async () => {
    const answer = await t.query('SELECT v FROM small WHERE id = $1', { parameters: [7] })
    expect(answer).toMatchObject({ status: 'executed', rows: [{ v: 7 }] })
  })

  it('answers a wrong name at once and without an approval', async () => {
    expect(await t.query('SELECT * FROM smal')).toMatchObject({ status: 'failed', error: { sql_state: '42P01' } })
    expect(await t.query('SELECT lenght(1)')).toMatchObject({ status: 'failed', error: { sql_state: '42883' } })
  })
})

describe('the row guard', () => {
  it('counts what triggers change, rolls back and holds with the measured number', async () => {
    const answer = await t.query('UPDATE trap SET v = 0 WHERE id = 1')
    expect(answer).toMatchObject({
      status: 'approval_required',
      risk_level: 'IMPACT_CRITICAL',
      safety_metadata: { estimated_affected_rows: 5001 },
    })
    expect(await one('SELECT count(*)::int AS n FROM big WHERE v = id')).toEqual({ n: 5000 })
    expect(await one('SELECT v FROM trap WHERE id = 1')).toEqual({ v: 1 })
  })

  it('holds an INSERT … SELECT that brings more rows than allowed', async () => {
    const answer = await t.query('INSERT INTO small SELECT id + 100, 0 FROM big')
    expect(answer).toMatchObject({ status: 'approval_required', safety_metadata: { estimated_affected_rows: 5000 } })
    expect(await one('SELECT count(*)::int AS n FROM small')).toEqual({ n: 10 })
  })

  it('fires deferred constraints before it decides', async () => {
    const answer = await t.query('INSERT INTO late VALUES (1, 999)')
    expect(answer).toMatchObject({ status: 'failed', error: { sql_state: '23503' }, effect: 'rolled-back' })
    expect(await one('SELECT count(*)::int AS n FROM late')).toEqual({ n: 0 })
  })

  it('refuses an approved statement that meanwhile reaches more rows than were approved', async () => {
    const sql = 'DELETE FROM big WHERE id > 3000'
    const held = await t.query(sql)
    expect(held).toMatchObject({ status: 'approval_required', safety_metadata: { estimated_affected_rows: 2000 } })
    await t.call('operator', 'POST', `/approve/${held.approval_id}`)
    await t.db.run('INSERT INTO big SELECT i, i FROM generate_series(5001, 5100) i')
    const again = await t.query(sql)
    expect(again).toMatchObject({ status: 'approval_required', safety_metadata: { estimated_affected_rows: 2100 } })
    expect(again.approval_id).not.toBe(held.approval_id)
    expect(await one('SELECT count(*)::int AS n FROM big')).toEqual({ n: 5100 })
    await t.db.run('DELETE FROM big WHERE id > 5000')
  })
})

describe('statements outside of transactions', () => {
  it.each([
    ['VACUUM (ANALYZE) small', 'VACUUM'],
    ['CREATE INDEX CONCURRENTLY small_v ON small (v)', 'CREATE INDEX'],
    ['REINDEX TABLE CONCURRENTLY small', 'REINDEX'],
  ])('holds %s and runs it once approved', async (sql, command) => {
    expect(await approveAndRun(sql)).toMatchObject({ status: 'executed', command })
  })

  it('leaves the next caller a clean session', async () => {
    expect(
      await t.query("SELECT current_setting('search_path') AS p, current_setting('lock_timeout') AS l"),
    ).toMatchObject({
      rows: [{ l: '30s' }],
    })
  })

  it.each([
    'BEGIN',
    'COMMIT',
    'SET search_path = evil',
    'SET ROLE postgres',
    'PREPARE p AS SELECT 1',
    'LISTEN x',
    'DISCARD ALL',
    'SELECT 1; DROP TABLE small',
  ])('never runs %s', async (sql) => {
    expect(await t.query(sql, {}, 'agent2')).toMatchObject({ status: 'blocked' })
  })
})

describe('several tables', () => {
  it('secures every table that a cascade empties, in the same transaction', async () => {
    await t.db.run(
      'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a); CREATE TABLE c (b_id int REFERENCES b); INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1, 1); INSERT INTO c VALUES (1), (1), (1)',
    )
    const done = await approveAndRun('TRUNCATE a CASCADE')
    expect(done).toMatchObject({ status: 'executed' })
    const points = done.recovery_points.map(
      (point: { table: string; row_count: number }) => `${point.table}:${point.row_count}`,
    )
    expect(points.sort()).toEqual(['a:2', 'b:1', 'c:3'])
    expect(
      await one('SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b) + (SELECT count(*) FROM c) AS n'),
    ).toEqual({ n: '0' })
  })

  it('secures every partition of a dropped parent', async () => {
    await t.db.run(
      'CREATE TABLE p (k int, v text) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1, $$x$$), (2, $$y$$), (2, $$z$$)',
    )
    const done = await approveAndRun('DROP TABLE p')
    const points = done.recovery_points.map(
      (point: { table: string; row_count: number }) => `${point.table}:${point.row_count}`,
    )
    expect(points.sort()).toEqual(['p1:1', 'p2:2'])
  })
})
