import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { isBackstopError } from '#lib/kernel/index.ts'
import { StatementError } from '#lib/ports/index.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase(
    'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat($$x$$, 100) FROM generate_series(1, 500) i',
  )
})
afterAll(() => db.drop())

const CAPS = { maxRows: 10, maxBytes: 1_000_000 }

describe('a session', () => {
  it('stops at the row limit and says so', async () => {
    const result = await db.database.withSession((s) => s.runCapped('SELECT * FROM t ORDER BY id', CAPS))
    expect(result.rows).toHaveLength(10)
    expect(result.truncated).toBe('rows')
    expect(result.rowCount).toBeUndefined()
  })

  it('does not call a result of exactly the limit truncated', async () => {
    const result = await db.database.withSession((s) => s.runCapped('SELECT id FROM t ORDER BY id LIMIT 10', CAPS))
    expect(result).toMatchObject({ command: 'SELECT', rowCount: 10 })
    expect(result.truncated).toBeUndefined()
  })

  it('stops at the byte limit and says so', async () => {
    const result = await db.database.withSession((s) =>
      s.runCapped('SELECT v FROM t', { maxRows: 400, maxBytes: 5_000 }),
    )
    expect(result.truncated).toBe('bytes')
    expect(result.rows.length).toBeLessThan(60)
  })

  it('does not take in a row without bounds, and goes on with another connection', async () => {
    const run = db.database.withSession((s) => s.runCapped('SELECT repeat($$x$$, 200000000)', CAPS))
    await expect(run).rejects.toSatisfy((error) => isBackstopError(error, 'EXECUTION_FAILED'))
    const next = await db.database.withSession((s) => s.runCapped('SELECT 1', CAPS))
    expect(next.rows).toEqual([[1]])
  })

  it('refuses a second statement in the text', async () => {
    const run = db.database.withSession((s) => s.runCapped('SELECT 1; DROP TABLE t', CAPS))
    await expect(run).rejects.toThrow(StatementError)
    expect(await db.run('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 500 }])
  })

  it('binds parameters and keeps 64-bit integers and numerics exact', async () => {
    const result = await db.database.withSession((s) =>
      s.runCapped("SELECT $1::int8, 1.10::numeric, 'NaN'::float8, true, $2::text, '{\"a\":1}'::jsonb, null", {
        ...CAPS,
        parameters: ['9007199254740993', 5],
      }),
    )
    expect(result.rows).toEqual([['9007199254740993', '1.10', 'NaN', true, '5', { a: 1 }, null]])
  })

  it('lends no state of one caller to the next', async () => {
    const small = openPostgres({ url: db.url, maxConnections: 1 })
    await small.withSession(async (s) => {
      await s.execute(
        "SET search_path = 'x'; SELECT pg_advisory_lock(7); CREATE TEMP TABLE left_over (a int); PREPARE p AS SELECT 1; BEGIN",
      )
    })
    await small.withSession(async (s) => {
      expect(
        await s.query(
          "SELECT current_setting('search_path') AS path, pg_current_xact_id_if_assigned() AS xid, to_regclass('left_over') AS t",
        ),
      ).toEqual([{ path: '"$user", public', xid: null, t: null }])
      expect(
        await s.query("SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"),
      ).toEqual([{ n: 0 }])
      expect(await s.query('SELECT name FROM pg_prepared_statements')).toEqual([])
    })
    await small.close()
  })

  it('copies out and in again', async () => {
    await db.run('CREATE TABLE t2 (LIKE t)')
    const rows = await db.database.withDedicatedSession((target) =>
      db.database.withSession((source) =>
        target.copyIn('COPY t2 FROM STDIN (FORMAT binary)', source.copyOut('COPY t TO STDOUT (FORMAT binary)')),
      ),
    )
    expect(rows).toBe(500)
    expect(await db.run('SELECT count(*)::int AS n FROM t JOIN t2 USING (id, v)')).toEqual([{ n: 500 }])
  })

  it.each([20, 5_000, 300_000])('copies in from %i bytes that their maker overwrites each time', async (sizeBytes) => {
    await db.run('DROP TABLE IF EXISTS t3; CREATE TABLE t3 (v text)')
    const room = Buffer.alloc(sizeBytes)
    async function* lines() {
      for (let line = 0; line < 26; line += 1) {
        room.fill(0x61 + line).write('\n', sizeBytes - 1)
        yield room
      }
    }
    const rows = await db.database.withDedicatedSession((s) => s.copyIn('COPY t3 FROM STDIN', lines()))
    expect(rows).toBe(26)
    expect(
      await db.run(
        `SELECT count(DISTINCT left(v, 1))::int AS letters,
                bool_and(v = repeat(left(v, 1), ${sizeBytes - 1})) AS whole FROM t3`,
      ),
    ).toEqual([{ letters: 26, whole: true }])
  })

  it('names an unreachable database without its password', async () => {
    const nowhere = openPostgres({ url: 'postgresql://u:s3cret-word@127.0.0.1:1/nothing', connectTimeoutMs: 2_000 })
    const error = await nowhere.withSession((s) => s.query('SELECT 1')).catch((e: unknown) => e)
    expect(isBackstopError(error, 'DATABASE_UNREACHABLE')).toBe(true)
    expect(String(error)).toContain('127.0.0.1:1/nothing')
    expect(String(error)).not.toContain('s3cret-word')
  })
})
