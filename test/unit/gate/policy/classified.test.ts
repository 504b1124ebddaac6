import { beforeAll, expect, test } from 'vitest'
import { classify, loadClassifier } from '#lib/gate/classify/index.ts'
import { decide, describeFacts } from '#lib/gate/policy/index.ts'
import { policyOf } from './sample-facts.ts'

beforeAll(loadClassifier)

function verdictOn(sql: string, fields: object) {
  return decide(describeFacts(classify(sql)), policyOf(fields))
}

const HIDDEN: readonly (readonly [string, string])[] = [
  ['DELETE', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone'],
  ['DELETE', 'EXPLAIN ANALYZE DELETE FROM orders WHERE id = 1'],
  ['DELETE', 'DO $$ BEGIN DELETE FROM orders; END $$'],
  ['DELETE', 'MERGE INTO orders o USING old ON o.id = old.id WHEN MATCHED THEN DELETE'],
  ['DELETE', 'EXPLAIN ANALYZE WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone'],
  ['UPDATE', 'INSERT INTO orders VALUES (1) ON CONFLICT (id) DO UPDATE SET total = 0'],
  ['INSERT', 'WITH kept AS (INSERT INTO archive SELECT * FROM orders RETURNING id) SELECT * FROM kept'],
  ['CREATE TABLE', 'SELECT * INTO copy_of_orders FROM orders'],
  ['CREATE TABLE', 'CREATE TABLE copy_of_orders AS SELECT * FROM orders'],
  ['TRUNCATE', 'DO $$ BEGIN TRUNCATE orders; END $$'],
  ['DROP FUNCTION', 'DROP ROUTINE refund'],
]

test.each(HIDDEN)('a block on %s reaches: %s', (operation, sql) => {
  expect(verdictOn(sql, { block_operations: [operation] })).toMatchObject({ action: 'block', rule: 'block-operations' })
  expect(verdictOn(sql, { block_operations: ['DROP DATABASE'] }).rule).not.toBe('block-operations')
})

const BY_DEFAULT: readonly (readonly [string, string, string])[] = [
  ['SELECT * FROM orders', 'execute', 'level-action'],
  ["INSERT INTO orders VALUES (1, 'new')", 'execute', 'level-action'],
  ['DROP TABLE orders', 'approve', 'level-action'],
  ['DELETE FROM orders WHERE true', 'approve', 'level-action'],
  ['VACUUM orders', 'approve', 'level-action'],
  ['DROP DATABASE shop', 'block', 'block-operations'],
  ['SET ROLE postgres', 'block', 'never-run'],
  ['SELECT 1; DROP TABLE orders', 'block', 'never-run'],
  ['SELEC 1', 'block', 'unknown-statement'],
  ["COPY orders TO PROGRAM 'cat'", 'block', 'unrecoverable'],
]

test.each(BY_DEFAULT)('by default: %s → %s', (sql, action, rule) => {
  expect(verdictOn(sql, {})).toMatchObject({ action, rule })
})
