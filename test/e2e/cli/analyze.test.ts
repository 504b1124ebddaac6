/** `backstop analyze --db`: what a statement means in a real database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCliJson, runCliProcess } from '#test/support/cli/run-cli.ts'
import type { TestDatabase } from '#test/support/postgres.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

const SEED = `
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
INSERT INTO parents SELECT generate_series(1, 40);
INSERT INTO children SELECT n, 1 + n % 40 FROM generate_series(1, 400) n;
CREATE FUNCTION tidy() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM children; RETURN 1; END $$;
`

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase(SEED)
})
afterAll(() => database.drop())

const analyze = async (sql: string) => (await runCliJson(['analyze', sql, '--db', database.url])).data

describe('analyze with a database', () => {
  test('counts the rows that a write reaches, and names every table that loses some', async () => {
    expect(await analyze('DELETE FROM parents WHERE id <= 30')).toMatchObject({
      ok: true,
      risk_level: 'IMPACT_CRITICAL',
      policy_action: 'approve',
      impact: { method: 'counted', row_count: 30, table_row_count: 40, percent: 75 },
      losing_tables: ['public.children', 'public.parents'],
    })
  })

  test('looks into a function that writes, and runs nothing', async () => {
    expect((await analyze('SELECT tidy()')).risk_level).not.toBe('SAFE')
    expect(await database.run('SELECT count(*)::int AS rows FROM children')).toEqual([{ rows: 400 }])
  })

  test('says which database it asked, without the password', async () => {
    const { stdout } = await runCliProcess(['analyze', 'SELECT 1', '--db', database.url])
    expect(stdout).toMatch(new RegExp(`^judged by +the text and 127\\.0\\.0\\.1:\\d+/${database.name}$`, 'm'))
    expect(stdout).not.toContain(new URL(database.url).password || 'no password')
  })

  test('says that a database cannot be reached', async () => {
    const { exitCode, stderr } = await runCliProcess([
      'analyze',
      'SELECT 1',
      '--db',
      'postgresql://u:secret-pass@127.0.0.1:1/x',
    ])
    expect(exitCode).toBe(1)
    expect(stderr).not.toContain('secret-pass')
  })
})
