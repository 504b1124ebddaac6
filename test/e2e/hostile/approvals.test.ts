import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

const SEED = `
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO accounts SELECT i, 100 FROM generate_series(1, 50) i;
CREATE TABLE other_accounts (LIKE accounts INCLUDING ALL);
INSERT INTO other_accounts SELECT i, 200 FROM generate_series(1, 50) i;
CREATE TABLE log (what text);
CREATE SCHEMA elsewhere;
CREATE FUNCTION pay(who int) RETURNS int LANGUAGE sql VOLATILE AS $$ INSERT INTO log VALUES ('paid ' || who); SELECT 1 $$;
CREATE FUNCTION helper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
CREATE TRIGGER accounts_helper BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION helper();
`

let t: TestProduct
beforeAll(async () => {
  t = await startTestProduct({ seedSql: SEED })
})
afterAll(() => t.stop())

const balance = async (table = 'accounts') =>
  (await t.db.run(`SELECT count(*)::int AS rows, coalesce(sum(balance), 0)::int AS sum FROM ${table}`))[0]
const logged = async () => Number((await t.db.run('SELECT count(*)::int AS n FROM log'))[0]?.['n'])

let statementCount = 0

/** A statement that no other test has an approval for. */
function unique(sql: string): string {
  statementCount += 1
  return `${sql} /* ${statementCount} */`
}

async function approved(sql: string, extra: Record<string, unknown> = {}): Promise<string> {
  const held = await t.query(sql, extra)
  expect(held).toMatchObject({ status: 'approval_required' })
  expect((await t.call('operator', 'POST', `/approve/${held.approval_id}`, {})).status).toBe(200)
  return held.approval_id
}

describe('an approval for something else', () => {
  const same = (sql: string) => sql

  it.each([
    ['another principal', same, {}, 'agent2'],
    ['another agent_id', same, { agent_id: 'somebody-else' }, 'agent'],
    ['other white space', (sql: string) => sql.replace(' ', '  '), {}, 'agent'],
    ['other letter case', (sql: string) => sql.toLowerCase(), {}, 'agent'],
    ['a comment more', (sql: string) => `${sql} -- all`, {}, 'agent'],
    ['a semicolon more', (sql: string) => `${sql};`, {}, 'agent'],
    ['another table', (sql: string) => sql.replace('accounts', 'other_accounts'), {}, 'agent'],
    ['a homoglyph', (sql: string) => sql.replace('accounts', 'аccounts'), {}, 'agent'],
    ['a parameter more', same, { parameters: [1] }, 'agent'],
  ] as const)('is of no use to %s', async (_, change, extra, caller) => {
    const before = [await balance(), await balance('other_accounts')]
    const sql = unique('DELETE FROM accounts')
    const approvalId = await approved(sql)
    const answer = await t.query(change(sql), { ...extra, approval_id: approvalId }, caller)
    expect(answer.status).not.toBe('executed')
    expect([await balance(), await balance('other_accounts')]).toEqual(before)
    const { body } = await t.call('operator', 'GET', `/approvals/${approvalId}`)
    expect(body.status).toBe('approved')
  })

  it('is of no use with other parameters', async () => {
    const sql = unique('UPDATE accounts SET balance = $1')
    const approvalId = await approved(sql, { parameters: [1] })
    const answer = await t.query(sql, { parameters: [2], approval_id: approvalId })
    expect(answer).toMatchObject({ status: 'denied', message: expect.stringContaining('parameters') })
    expect(await balance()).toEqual({ rows: 50, sum: 5000 })
  })

  it('is not guessed, not found and not told to others', async () => {
    const sql = unique('UPDATE accounts SET balance = 7')
    const approvalId = await approved(sql)
    expect((await t.call('agent2', 'GET', `/approvals/${approvalId}`)).status).toBe(404)
    expect((await t.call('agent', 'POST', `/approve/${approvalId}`, {})).status).toBe(403)
    for (const id of ['appr_', '../admin', `${approvalId}'`, approvalId.toUpperCase(), `${approvalId}0`]) {
      const answer = await t.query(sql, { approval_id: id })
      expect(answer.status).not.toBe('executed')
    }
    expect(await balance()).toEqual({ rows: 50, sum: 5000 })
  })
})

describe('what changes between the approval and the run', () => {
  it('stops a function whose body is another one', async () => {
    const sql = unique('SELECT pay(1)')
    const approvalId = await approved(sql)
    await t.db.run(
      `CREATE OR REPLACE FUNCTION pay(who int) RETURNS int LANGUAGE sql VOLATILE AS $$ DELETE FROM accounts; SELECT 1 $$`,
    )
    const answer = await t.query(sql, { approval_id: approvalId })
    expect(answer).toMatchObject({ status: 'denied', message: expect.stringContaining('functions') })
    expect(await balance()).toEqual({ rows: 50, sum: 5000 })
    await t.db.run(
      `CREATE OR REPLACE FUNCTION pay(who int) RETURNS int LANGUAGE sql VOLATILE AS $$ INSERT INTO log VALUES ('paid ' || who); SELECT 1 $$`,
    )
  })

  it('stops a trigger function whose body is another one', async () => {
    const sql = unique('DELETE FROM accounts')
    const approvalId = await approved(sql)
    await t.db.run(
      'CREATE OR REPLACE FUNCTION helper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM other_accounts; RETURN OLD; END $$',
    )
    const answer = await t.query(sql, { approval_id: approvalId })
    expect(answer).toMatchObject({ status: 'denied', message: expect.stringContaining('functions') })
    expect(await balance('other_accounts')).toEqual({ rows: 50, sum: 10000 })
    await t.db.run(
      'CREATE OR REPLACE FUNCTION helper() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$',
    )
  })

  it.each([
    ['dropped and made again', 'DROP TABLE swapped; CREATE TABLE swapped AS SELECT * FROM other_accounts'],
    ['swapped with another by renaming', 'ALTER TABLE swapped RENAME TO gone; ALTER TABLE spare RENAME TO swapped'],
    [
      'moved to another schema and replaced',
      'ALTER TABLE swapped SET SCHEMA elsewhere; CREATE TABLE swapped AS SELECT * FROM other_accounts',
    ],
    ['replaced by a view', 'ALTER TABLE swapped RENAME TO gone2; CREATE VIEW swapped AS SELECT * FROM other_accounts'],
  ])('stops a table that was %s', async (_, change) => {
    await t.db.run(
      `DROP SCHEMA elsewhere CASCADE; CREATE SCHEMA elsewhere; DROP TABLE IF EXISTS gone, gone2, spare CASCADE`,
    )
    await t.db.run(
      `DO $$ BEGIN DROP TABLE IF EXISTS swapped CASCADE; EXCEPTION WHEN wrong_object_type THEN DROP VIEW swapped; END $$`,
    )
    await t.db.run('CREATE TABLE swapped AS SELECT * FROM accounts; CREATE TABLE spare AS SELECT * FROM other_accounts')
    const sql = unique('DELETE FROM swapped')
    const approvalId = await approved(sql)
    await t.db.run(change)
    const answer = await t.query(sql, { approval_id: approvalId })
    expect(answer).toMatchObject({ status: 'denied', message: expect.stringContaining('relations') })
    expect(Number((await t.db.run('SELECT count(*)::int AS n FROM swapped'))[0]?.['n'])).toBe(50)
  })

  it('does not let a later shadow in an earlier schema take the name', async () => {
    const sql = unique('DELETE FROM accounts')
    const approvalId = await approved(sql)
    await t.db.run(
      'CREATE SCHEMA IF NOT EXISTS postgres; CREATE TABLE postgres.accounts AS SELECT * FROM other_accounts',
    )
    const answer = await t.query(sql, { approval_id: approvalId })
    expect(answer).toMatchObject({ status: 'denied', message: expect.stringContaining('relations') })
    await t.db.run('DROP SCHEMA postgres CASCADE')
    expect(await balance()).toEqual({ rows: 50, sum: 5000 })
  })

  it('does not run more rows than were approved', async () => {
    await t.db.run('CREATE TABLE growing AS SELECT i AS id FROM generate_series(1, 2000) i')
    const sql = 'DELETE FROM growing WHERE id > 500'
    const approvalId = await approved(sql)
    await t.db.run('INSERT INTO growing SELECT i FROM generate_series(5000, 9000) i')
    const answer = await t.query(sql, { approval_id: approvalId })
    expect(answer.status).not.toBe('executed')
    expect(await t.db.run('SELECT count(*)::int AS n FROM growing')).toEqual([{ n: 6001 }])
  })
})

describe('one approval used many times at once', () => {
  it('runs once', async () => {
    await t.db.run('TRUNCATE log')
    const sql = unique('SELECT pay(2)')
    const approvalId = await approved(sql)
    const answers = await Promise.all(Array.from({ length: 12 }, () => t.query(sql, { approval_id: approvalId })))
    expect(answers.filter((answer) => answer.status === 'executed')).toHaveLength(1)
    expect(await logged()).toBe(1)
  })
})

describe('self-approval', () => {
  it('is refused to an admin who asked', async () => {
    const held = await t.query('DELETE FROM other_accounts', {}, 'admin')
    expect(held).toMatchObject({ status: 'approval_required' })
    const reply = await t.call('admin', 'POST', `/approve/${held.approval_id}`, {})
    expect(reply.status).toBe(403)
    expect(await balance('other_accounts')).toEqual({ rows: 50, sum: 10000 })
  })
})
