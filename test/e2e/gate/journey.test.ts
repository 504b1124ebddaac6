import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestProduct, type TestProduct } from '#test/support/product.ts'

const SEED = `
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text);
CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers ON DELETE CASCADE ON UPDATE CASCADE, total numeric(10,2));
INSERT INTO customers SELECT i, 'c' || i, 'c' || i || '@example.test' FROM generate_series(1, 20) i;
INSERT INTO orders SELECT i, i % 20 + 1, i * 1.5 FROM generate_series(1, 4000) i;
CREATE TABLE payments (id int PRIMARY KEY, amount numeric(10,2) NOT NULL, paid_at timestamptz DEFAULT now());
INSERT INTO payments SELECT i, i * 2.5 FROM generate_series(1, 500) i;
`

let t: TestProduct
beforeAll(async () => {
  t = await startTestProduct({ seedSql: SEED })
})
afterAll(() => t.stop())

const count = async (table: string) => (await t.db.run(`SELECT count(*)::int AS n FROM ${table}`))[0]?.['n']

describe('the main job', () => {
  it('runs a SELECT and records it', async () => {
    const answer = await t.query(
      'SELECT name, count(*) FROM customers JOIN orders ON customer_id = customers.id GROUP BY 1 ORDER BY 1 LIMIT 2',
    )
    expect(answer).toMatchObject({
      status: 'executed',
      result_type: 'rows',
      risk_level: 'SAFE',
      columns: ['name', 'count'],
      row_count: 2,
    })
    const audit = await t.call('admin', 'GET', '/metadata/audit?limit=5')
    expect(audit.status).toBe(200)
    expect(JSON.stringify(audit.body)).toContain(answer.audit_id)
  })

  it('holds a DELETE hidden in a CTE and leaves the rows alone', async () => {
    const answer = await t.query('WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone')
    expect(answer).toMatchObject({ status: 'approval_required', risk_level: 'CRITICAL' })
    expect(await count('orders')).toBe(4000)
  })

  it('runs a small UPDATE', async () => {
    const answer = await t.query("UPDATE customers SET name = 'Ada' WHERE id = 3")
    expect(answer).toMatchObject({ status: 'executed', result_type: 'command', rows_affected: 1, risk_level: 'LOW' })
  })

  it('rolls back an UPDATE whose cascade changes more than the thresholds, and holds it with the measured number', async () => {
    await t.db.run('UPDATE orders SET customer_id = 5')
    const answer = await t.query('UPDATE customers SET id = 1000 WHERE id = 5')
    expect(answer).toMatchObject({ status: 'approval_required', risk_level: 'IMPACT_CRITICAL' })
    expect(answer.safety_metadata).toMatchObject({ impact_method: 'measured', estimated_affected_rows: 4001 })
    expect(await t.db.run('SELECT count(*)::int AS n FROM orders WHERE customer_id = 5')).toEqual([{ n: 4000 }])
    expect((await t.call('operator', 'POST', `/approve/${answer.approval_id}`)).status).toBe(200)
    const again = await t.query('UPDATE customers SET id = 1000 WHERE id = 5')
    expect(again).toMatchObject({ status: 'executed', rows_affected: 1, approval_id: answer.approval_id })
    expect(await t.db.run('SELECT count(*)::int AS n FROM orders WHERE customer_id = 1000')).toEqual([{ n: 4000 }])
  })

  it('blocks DROP DATABASE', async () => {
    expect(await t.query('DROP DATABASE postgres')).toMatchObject({
      status: 'blocked',
      safety_metadata: { policy_reason: 'DROP DATABASE is blocked by policy' },
    })
  })

  it('holds DROP TABLE, refuses the agent as approver, secures the last state, drops it, and brings it back', async () => {
    const held = await t.query('DROP TABLE payments')
    expect(held).toMatchObject({ status: 'approval_required', risk_level: 'CRITICAL' })
    expect((await t.call('agent', 'POST', `/approve/${held.approval_id}`)).status).toBe(403)
    await t.db.run('INSERT INTO payments VALUES (501, 1.25)')
    expect((await t.call('operator', 'POST', `/approve/${held.approval_id}`)).status).toBe(200)
    const gone = await t.query('DROP TABLE payments')
    expect(gone).toMatchObject({ status: 'executed', result_type: 'command', command: 'DROP TABLE' })
    expect(gone.recovery_points).toMatchObject([{ table: 'payments', row_count: 501 }])
    expect(await t.db.run("SELECT to_regclass('payments') AS t")).toEqual([{ t: null }])
    const report = await t.product.parts.recovery.restore({ snapshotId: gone.recovery_points[0].snapshot_id })
    expect(report).toMatchObject({ rowCount: 501 })
    expect(await count('payments_recovered')).toBe(501)
    expect(await t.query('DROP TABLE customers', { approval_id: held.approval_id })).toMatchObject({ status: 'denied' })
  })
})
