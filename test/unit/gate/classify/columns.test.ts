import { beforeAll, describe, expect, it } from 'vitest'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { columnLines, targetLines } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['SELECT email FROM customers', ['read customers.email']],
  ['SELECT c.email FROM customers c', ['read customers.email']],
  ['SELECT customers.email FROM s.customers', ['read customers.email']],
  ['SELECT s.customers.email FROM s.customers', ['read customers.email']],
  ['SELECT * FROM customers', ['read customers.*']],
  ['SELECT c.* FROM customers c, orders o', ['read customers.*']],
  ['TABLE customers', ['read customers.*']],
  ['SELECT c FROM customers c', ['read customers.*', 'read customers.c']],
  ['SELECT to_jsonb(c) FROM customers c', ['read customers.*', 'read customers.c']],
  ['SELECT row_to_json(c.*) FROM customers c', ['read customers.*']],
  ['SELECT (c).email FROM customers c', ['read customers.*', 'read customers.c']],
  ['SELECT email FROM customers, orders', ['read ?.email']],
  ['SELECT x.email FROM (SELECT email FROM customers) x', ['read customers.email']],
  ['SELECT x.email FROM (SELECT * FROM customers) x', ['read customers.*']],
  ['WITH x AS (SELECT * FROM customers) SELECT email FROM x', ['read customers.*']],
  ['SELECT 1 FROM a JOIN b USING (id)', ['read a.id', 'read b.id']],
  ['SELECT 1 FROM a NATURAL JOIN b', ['read a.*', 'read b.*']],
  ['SELECT j.x FROM (a JOIN b ON a.i = b.i) AS j', ['read ?.x', 'read a.i', 'read b.i']],
  ['SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.y)', ['read a.y', 'read b.x']],
  ['SELECT count(*) FROM customers', []],
  ['SELECT 1 FROM customers ORDER BY email', ['read customers.email']],
  ['SELECT 1 FROM customers AS c(a, b) WHERE a = 1', ['read customers.*', 'read customers.a']],
  ['INSERT INTO t VALUES (1)', ['write t.*']],
  ['INSERT INTO t (a, b) SELECT x, y FROM u', ['read u.x', 'read u.y', 'write t.a', 'write t.b']],
  [
    'INSERT INTO t (a) VALUES (1) ON CONFLICT (k) DO UPDATE SET b = excluded.a WHERE t.c = 1 RETURNING d',
    ['read t.c', 'read t.d', 'read t.k', 'write t.a', 'write t.b'],
  ],
  [
    'UPDATE t SET a = b, (c, d) = (SELECT 1, 2) WHERE id = 1',
    ['read t.b', 'read t.id', 'write t.a', 'write t.c', 'write t.d'],
  ],
  ['UPDATE t SET a = u.x FROM u WHERE t.id = u.id', ['read t.id', 'read u.id', 'read u.x', 'write t.a']],
  ['DELETE FROM t WHERE id = 1 RETURNING *', ['read t.*', 'read t.id']],
  ['UPDATE t SET a = 1 WHERE id = 1 RETURNING old.a, new.b', ['read t.a', 'read t.b', 'read t.id', 'write t.a']],
  [
    'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = u.x WHEN NOT MATCHED THEN INSERT (b) VALUES (u.y)',
    ['read t.id', 'read u.id', 'read u.x', 'read u.y', 'write t.a', 'write t.b'],
  ],
  ['COPY t (a, b) TO STDOUT', ['read t.a', 'read t.b']],
  ['COPY t TO STDOUT', ['read t.*']],
  ['COPY t (a) FROM STDIN', ['write t.a']],
  ['ALTER TABLE t DROP COLUMN email', ['write t.email']],
  ['ALTER TABLE t RENAME email TO mail', ['write t.email']],
  ['EXPLAIN UPDATE t SET a = 1 WHERE id = 1', ['read t.a', 'read t.id']],
]

describe('columns', () => {
  it.each(CASES)('%s', (text, expected) => {
    expect(columnLines(text)).toEqual(expected)
  })

  it('were tried in enough places', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(35)
  })
})

describe('common table expressions', () => {
  it('shadow tables where they are in force, and nowhere else', () => {
    expect(targetLines('WITH t AS (SELECT 1) SELECT * FROM t')).toEqual([])
    expect(targetLines('WITH t AS (SELECT 1) SELECT * FROM s.t')).toEqual(['read s.t'])
    expect(targetLines('WITH t AS (SELECT * FROM t) SELECT * FROM t')).toEqual(['read t'])
    expect(targetLines('WITH RECURSIVE t AS (SELECT 1 UNION SELECT * FROM t) SELECT * FROM t')).toEqual([])
    expect(targetLines('WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a, b')).toEqual(['read b'])
    expect(targetLines('SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t) x, t')).toEqual(['read t'])
  })

  it('never stand for the table that is written', () => {
    expect(targetLines('WITH t AS (SELECT 1) DELETE FROM t')).toEqual(['delete t all'])
    expect(targetLines('WITH t AS (SELECT 1) INSERT INTO t SELECT * FROM t')).toEqual(['insert t'])
  })
})
