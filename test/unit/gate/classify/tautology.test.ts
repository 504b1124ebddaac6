import { beforeAll, describe, expect, it } from 'vitest'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { classified, codes } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

const ALWAYS = [
  'true',
  "'t'::boolean",
  '1::boolean',
  '1=1',
  "'a'='a'",
  '1 < 2',
  '1+1=2',
  "'a'||'b'='ab'",
  'id=id',
  't.id = id',
  'id::text = id::text',
  'id >= id',
  'id IS NOT DISTINCT FROM id',
  'id IN (id)',
  'id BETWEEN id AND id',
  'lower(name) = lower(name)',
  '(id, name) = (id, name)',
  'NOT false',
  'NOT (1=2)',
  'NOT (id = 1 AND false)',
  'id IS NOT NULL OR true',
  'id IS NULL OR id IS NOT NULL',
  'id = 1 OR id <> 1',
  'active IS TRUE OR active IS NOT TRUE',
  'NOT (id IS NULL AND id IS NOT NULL)',
  'id = ANY (ARRAY[id])',
  'id = 1 OR NOT (id = 1)',
  'id > 0 OR id <= 0',
  'id=id OR name = 1',
  'true AND 1=1',
  'coalesce(true)',
  'coalesce(NULL, true)',
  'NULL IS NULL',
  'true IS TRUE',
  'false IS NOT TRUE',
  'CASE WHEN true THEN true ELSE false END',
  'CASE WHEN id = 1 THEN true ELSE true END',
  "'abc' LIKE '%'",
  '1 IN (1, 2)',
  '2 BETWEEN 1 AND 3',
  'ctid IS NOT NULL',
  'EXISTS (SELECT 1)',
  'EXISTS (SELECT 1 FROM u WHERE u.x = 1)',
  "now() > '2000-01-01'",
  'random() < 2',
  '$1',
  '$1 = $2',
  '(SELECT true)',
  '1 IN (SELECT 1)',
]

const BOUNDED = [
  'id = 1',
  'id = $1',
  't.id = 1',
  "name LIKE 'a%'",
  'id IN (SELECT id FROM u)',
  'EXISTS (SELECT 1 FROM u WHERE u.id = t.id)',
  'id = 1 AND true',
  'id <> id',
  'id = 1 OR false',
  'id = 1 OR id = 2',
  'NOT active',
  'active',
  'deleted_at IS NOT NULL',
  'false',
  'NULL',
  '1 = 2',
  "a->>'x' = 'y'",
  '(a).b = 1',
]

describe('a condition of UPDATE and DELETE', () => {
  it.each(ALWAYS)('is no bound: %s', (where) => {
    for (const text of [`DELETE FROM t WHERE ${where}`, `UPDATE t SET a = 1 WHERE ${where}`]) {
      const { level, targets } = classified(text)
      expect([level, targets[0]?.scope]).toEqual(['CRITICAL', 'all'])
    }
  })

  it.each(BOUNDED)('is a bound: %s', (where) => {
    const { level, targets } = classified(`DELETE FROM t WHERE ${where}`)
    expect([level, targets[0]?.scope]).toEqual(['LOW', 'filtered'])
  })

  it('was tried with enough of both', () => {
    expect(ALWAYS.length).toBeGreaterThanOrEqual(40)
    expect(BOUNDED.length).toBeGreaterThanOrEqual(15)
  })

  it('that every row but NULL meets is HIGH', () => {
    for (const where of [
      "name LIKE '%'",
      "name ILIKE '%%'",
      "name ~ '.*'",
      "name ~~ '%'",
      "name ~ ''",
      "name SIMILAR TO '%'",
      "id = 1 OR name LIKE '%'",
    ]) {
      expect(codes(`DELETE FROM t WHERE ${where}`)).toContain('weak-filter')
    }
  })

  it('with a side that no row decides is HIGH', () => {
    expect(codes('DELETE FROM t WHERE $1::int IS NULL OR id = $1')).toContain('open-condition')
    expect(codes("DELETE FROM t WHERE id = 1 OR now() > '2000-01-01'")).toContain('open-condition')
  })

  it('that only a sub-select may tie to the row is HIGH', () => {
    expect(codes('DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE active)')).toContain('uncertain-scope')
  })

  it('that names only a joined table is no bound', () => {
    expect(classified('DELETE FROM t USING u WHERE u.x = 1').level).toBe('CRITICAL')
    expect(classified('UPDATE t SET a = 1 FROM u WHERE u.x = 1').level).toBe('CRITICAL')
    expect(classified('DELETE FROM t USING u WHERE u.id = t.id').level).toBe('LOW')
    expect(classified('DELETE FROM t AS x USING u WHERE u.id = x.id').level).toBe('LOW')
  })
})

describe('MERGE', () => {
  it('is CRITICAL when an unconditional action reaches every row', () => {
    expect(classified('MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE').level).toBe('CRITICAL')
    expect(classified('MERGE INTO t USING u ON t.id=u.id WHEN NOT MATCHED BY SOURCE THEN DELETE').level).toBe(
      'CRITICAL',
    )
    expect(classified('MERGE INTO t USING u ON t.id=u.id WHEN MATCHED THEN DELETE').level).toBe('HIGH')
  })
})
