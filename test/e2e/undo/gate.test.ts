/** Undo through the running product: immediate and approved writes, the desk, the ledger, pause, policy and scope. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

const SEED = `
CREATE TABLE accounts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text, cents bigint);
CREATE TABLE large (id int PRIMARY KEY, pad text); ALTER TABLE large ALTER pad SET STORAGE PLAIN;
CREATE VIEW large_view AS SELECT * FROM large;
CREATE TABLE notes (id int PRIMARY KEY, account int REFERENCES accounts ON DELETE CASCADE, body text);
`
const FILL = `
TRUNCATE accounts, notes RESTART IDENTITY;
INSERT INTO accounts (owner, cents) SELECT 'o' || i, i * 100 FROM generate_series(1, 40) i;
INSERT INTO notes SELECT i, i, 'n' || i FROM generate_series(1, 40) i;
`

let t: TestProduct
let folder: string
let policyPath: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backstop-undo-policy-'))
  policyPath = join(folder, 'policy.json')
  await writeFile(policyPath, '{}')
  const environment = { BACKSTOP_UNDO_MAX_ROWS: '30', BACKSTOP_POLICY: policyPath }
  t = await startTestProduct({ seedSql: SEED, environment })
})
beforeEach(async () => void (await t.db.run(FILL)))
afterAll(async () => {
  await t?.stop()
  await rm(folder, { recursive: true, force: true })
})

const content = async () =>
  JSON.stringify(
    await t.db.run(`SELECT 'a' k, a::text v FROM accounts a UNION ALL SELECT 'n', n::text FROM notes n ORDER BY 1, 2`),
  )
const undo = (auditId: string, body: object = {}) => t.call('admin', 'POST', `/undo/${auditId}`, body)

async function approveAndRun(sql: string) {
  const held = await t.query(sql)
  expect(held).toMatchObject({ status: 'approval_required' })
  expect((await t.call('operator', 'POST', `/approve/${held.approval_id}`)).status).toBe(200)
  return t.query(sql)
}

describe('undo through the gate', () => {
  it('reverses a DELETE with its cascade, once, and then the reversal', async () => {
    const before = await content()
    const done = await t.query('DELETE FROM accounts WHERE id <= 2')
    expect(done).toMatchObject({ status: 'executed', rows_affected: 2, undo: { available: true, row_count: 4 } })
    expect(done.undo.audit_id).toBe(done.audit_id)
    const after = await content()

    const look = await t.call('admin', 'GET', `/undo/${done.audit_id}`)
    expect(look).toMatchObject({ status: 200, body: { status: 'planned', row_count: 4, conflict_count: 0 } })
    expect(look.body.rows[0]).toMatchObject({ action: 'reinsert', columns: { id: { from: null } } })
    expect(await content()).toBe(after)

    const undone = await undo(done.audit_id)
    expect(undone).toMatchObject({ status: 200, body: { status: 'undone', reversed_count: 4 } })
    expect(await content()).toBe(before)
    expect(await undo(done.audit_id)).toMatchObject({ status: 409, body: { error: 'undo_done' } })

    expect(await undo(undone.body.undo_audit_id)).toMatchObject({ status: 200, body: { status: 'undone' } })
    expect(await content()).toBe(after)
    expect(await undo(done.audit_id)).toMatchObject({ status: 200, body: { status: 'undone' } })
    expect(await content()).toBe(before)
  })

  it('reverses an approved write, and records look and reversal in the ledger', async () => {
    const before = await content()
    const done = await approveAndRun('UPDATE accounts SET cents = 0 WHERE id <= 25')
    expect(done).toMatchObject({ status: 'executed', undo: { available: true, row_count: 25 } })
    const undone = await undo(done.audit_id)
    expect(undone.body).toMatchObject({ status: 'undone', reversed_count: 25 })
    expect(await content()).toBe(before)
    const audit = await t.call('operator', 'GET', '/metadata/audit?limit=3')
    expect(audit.body.items[0]).toMatchObject({
      id: undone.body.undo_audit_id,
      action: 'undo',
      principal: 'admin',
      outcome: 'executed',
      row_count: 25,
    })
  })

  it('reports rows that changed since, and changes nothing unless told to skip them', async () => {
    const done = await t.query(`UPDATE accounts SET owner = 'x' WHERE id IN (1, 2, 3)`)
    await t.db.run(
      `UPDATE accounts SET cents = 7 WHERE id = 2; DELETE FROM notes WHERE id = 3; DELETE FROM accounts WHERE id = 3`,
    )
    const before = await content()
    const refused = await undo(done.audit_id)
    expect(refused.body).toMatchObject({ status: 'conflict', reversed_count: 0, conflict_count: 2 })
    expect(refused.body.rows.slice(0, 2)).toMatchObject([
      { key: { id: '2' }, conflict: { kind: 'changed', columns: ['cents'] } },
      { key: { id: '3' }, conflict: { kind: 'missing' } },
    ])
    expect(await content()).toBe(before)
    const skipped = await undo(done.audit_id, { conflict_policy: 'skip' })
    expect(skipped.body).toMatchObject({ status: 'undone', reversed_count: 1, conflict_count: 2 })
    expect(await t.db.run('SELECT owner, cents FROM accounts WHERE id <= 2 ORDER BY id')).toEqual([
      { owner: 'o1', cents: '100' },
      { owner: 'x', cents: '7' },
    ])
  })

  describe('of a table that is too large to be searched while an agent waits', () => {
    const contentOfLarge = async () => (await t.db.run(`SELECT sum(hashtextextended(l::text, 0)) AS h FROM large l`))[0]
    const immediate = [
      ['an UPDATE', { query: `UPDATE large SET pad = 'gone' WHERE id = $1`, parameters: [77] }],
      ['a DELETE', { query: 'DELETE FROM large AS l USING accounts a WHERE l.id = a.id AND a.id IN (3, 4)' }],
      ['an INSERT', { query: `INSERT INTO large VALUES (-1, 'new')` }],
    ] as const
    beforeAll(async () => {
      await t.db.run(
        `INSERT INTO large SELECT i, repeat(md5(i::text), 40) FROM generate_series(1, 15000) i; ANALYZE large`,
      )
      expect(await t.db.run(`SELECT pg_relation_size('large') > 16 * 1024 * 1024 AS large`)).toEqual([{ large: true }])
    })

    it.each(immediate)('%s is kept and undone', async (_, { query, ...rest }) => {
      const before = await contentOfLarge()
      const done = await t.query(query, rest)
      expect(done).toMatchObject({ status: 'executed', undo: { available: true } })
      expect(await contentOfLarge()).not.toEqual(before)
      expect(await undo(done.audit_id)).toMatchObject({ status: 200, body: { status: 'undone' } })
      expect(await contentOfLarge()).toEqual(before)
    })

    it('a write through a view stands, and its answer says that it is not kept', async () => {
      const done = await t.query(`UPDATE large_view SET pad = 'gone' WHERE id = 78`)
      expect(done).toMatchObject({ status: 'executed', undo: { available: false } })
      expect(done.undo.reason).toContain('have to be searched')
    })
  })

  it('says why a write beyond the limit cannot be undone, and lets it stand', async () => {
    const done = await approveAndRun('UPDATE accounts SET cents = 1 WHERE id <= 35')
    expect(done).toMatchObject({ status: 'executed', rows_affected: 35, undo: { available: false } })
    expect(done.undo.reason).toContain('35 rows')
    expect(await undo(done.audit_id)).toMatchObject({ status: 404, body: { error: 'undo_missing' } })
  })

  it('rolls such a write back where policy asks for undo', async () => {
    await writeFile(policyPath, '{"require_undo_for_writes": true}')
    await t.product.parts.policy.reload()
    try {
      const before = await content()
      const refused = await approveAndRun('UPDATE accounts SET cents = 2 WHERE id <= 35')
      expect(refused).toMatchObject({ status: 'blocked' })
      expect(refused.message).toContain('35 rows')
      expect(await content()).toBe(before)
      expect(await t.query('UPDATE accounts SET cents = 3 WHERE id = 1')).toMatchObject({ undo: { available: true } })
    } finally {
      await writeFile(policyPath, '{}')
      await t.product.parts.policy.reload()
    }
  })

  it('keeps nothing for reads, for writes without an effect, and for what is more than rows', async () => {
    expect(await t.query('SELECT 1')).not.toHaveProperty('undo')
    expect(await t.query('UPDATE accounts SET cents = 1 WHERE id = -1')).not.toHaveProperty('undo')
    const ddl = await approveAndRun('CREATE TABLE made AS SELECT * FROM accounts')
    expect(ddl.undo).toMatchObject({ available: false, reason: expect.stringContaining('more than rows') })
  })

  it('needs its own scope, and stops while the gateway is paused', async () => {
    const done = await t.query('DELETE FROM notes WHERE id = 1')
    for (const caller of ['agent', 'operator'] as const) {
      const refused = await t.call(caller, 'POST', `/undo/${done.audit_id}`, {})
      expect(refused).toMatchObject({ status: 403, body: { required_scope: 'undo:execute' } })
    }
    await t.call('admin', 'POST', '/admin/pause')
    expect(await undo(done.audit_id)).toMatchObject({ status: 409, body: { error: 'gate_paused' } })
    await t.call('admin', 'POST', '/admin/resume', {})
    expect(await undo(done.audit_id)).toMatchObject({ status: 200, body: { status: 'undone' } })
  })

  it('knows no write of that id', async () => {
    expect(await undo(`aud_${'0'.repeat(32)}`)).toMatchObject({ status: 404, body: { error: 'undo_missing' } })
    expect(await undo('aud_x%2f..')).toMatchObject({ status: 404, body: { error: 'undo_missing' } })
    const failed = await t.query('INSERT INTO notes VALUES (1, 1, NULL)')
    expect(failed.status).toBe('failed')
    expect(await undo(failed.audit_id)).toMatchObject({ status: 409, body: { error: 'undo_not_applied' } })
  })
})
