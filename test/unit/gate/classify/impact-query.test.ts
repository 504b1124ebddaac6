import { beforeAll, describe, expect, it } from 'vitest'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { classified } from '#test/support/classify/classified.ts'

beforeAll(loadClassifier)

const oneLine = (text: string | undefined): string | undefined => text?.replaceAll(/\s*\n\s*/g, ' ')

const CASES: readonly (readonly [string, string])[] = [
  ['UPDATE t SET a=1 WHERE id=3', 'SELECT 1 FROM t WHERE id=3'],
  ['UPDATE t SET a=1', 'SELECT 1 FROM t'],
  ['DELETE FROM ONLY s.t AS x WHERE x.id=3;', 'SELECT 1 FROM ONLY s.t AS x WHERE x.id=3'],
  ['DELETE FROM t USING u WHERE t.id=u.id', 'SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t.id=u.id )'],
  ['DELETE FROM t USING u', 'SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u )'],
  [
    'UPDATE t SET a = b IS DISTINCT FROM c FROM u WHERE t.x IS DISTINCT FROM u.x RETURNING t.a',
    'SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t.x IS DISTINCT FROM u.x )',
  ],
  [
    'WITH update AS (SELECT 1) UPDATE t SET a=1 WHERE id IN (SELECT * FROM update)',
    'WITH update AS (SELECT 1) SELECT 1 FROM t WHERE id IN (SELECT * FROM update)',
  ],
  ['EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t WHERE id=$1', 'SELECT 1 FROM t WHERE id=$1'],
  [
    'UPDATE tä SET a=\'ü where\', b=(SELECT 1 FROM q WHERE r) WHERE "größe" = $q$ where $q$',
    'SELECT 1 FROM tä WHERE "größe" = $q$ where $q$',
  ],
  ['UPDATE t SET a=nextval(1) WHERE id=3', 'SELECT 1 FROM t WHERE id=3'],
  ['UPDATE t "set" SET x=1 WHERE "set".id=1', 'SELECT 1 FROM t "set" WHERE "set".id=1'],
]

describe('the query that counts what a write reaches', () => {
  it.each(CASES)('%s', (text, expected) => {
    expect(oneLine(classified(text).impact?.rowsQuery)).toBe(expected)
  })

  it('is itself SAFE and has the same table', () => {
    expect(CASES.length).toBeGreaterThanOrEqual(10)
    for (const [text] of CASES) {
      const { impact, targets } = classified(text)
      const write = targets.find(({ access }) => access !== 'read')
      expect(classified(impact?.rowsQuery ?? '').level).toBe('SAFE')
      expect(impact?.target).toEqual(write?.object)
    }
  })

  it('survives comments in every gap', () => {
    const text = '/* delete */ DELETE /* x */ FROM -- a\n t -- where\n WHERE /* y */ id = 1 -- returning'
    expect(oneLine(classified(text).impact?.rowsQuery)).toContain(
      'FROM -- a t -- where WHERE /* y */ id = 1 -- returning',
    )
  })

  it('keeps a comment at the end of a clause from swallowing the next', () => {
    const { impact } = classified('DELETE FROM t USING u WHERE t.id = u.id -- all of them')
    expect(impact?.rowsQuery.split('\n').at(-1)).toBe(')')
  })

  it('takes the same parameters as the statement', () => {
    expect(oneLine(classified('UPDATE t SET a=$1, c=$4 WHERE id=$3 AND b=$2').impact?.rowsQuery)).toBe(
      'SELECT $1::text, $4::text FROM t WHERE id=$3 AND b=$2',
    )
    expect(oneLine(classified('DELETE FROM t WHERE id=$1').impact?.rowsQuery)).toBe('SELECT 1 FROM t WHERE id=$1')
  })

  it('names the place of each row by the alias of the table, with the same parameters', () => {
    const placesOf = (text: string) => oneLine(classified(text).impact?.placesQuery)
    expect(placesOf('UPDATE t SET a=$1, c=$4 WHERE id=$3 AND b=$2')).toBe(
      'SELECT "t".tableoid::text, "t".ctid::text, $1::text, $4::text FROM t WHERE id=$3 AND b=$2',
    )
    expect(placesOf('DELETE FROM ONLY s."T" AS "X y" USING u WHERE "X y".id=u.id')).toBe(
      'SELECT "X y".tableoid::text, "X y".ctid::text FROM ONLY s."T" AS "X y" WHERE EXISTS (SELECT 1 FROM u WHERE "X y".id=u.id )',
    )
    for (const [text] of CASES) expect(classified(classified(text).impact?.placesQuery ?? '').level).toBe('SAFE')
  })

  it('is absent where counting would write, lock or wait, and where no predicate says what is reached', () => {
    const texts = [
      'DELETE FROM t WHERE pg_sleep(1) IS NULL',
      "DELETE FROM t WHERE id = nextval('s')",
      'WITH x AS (DELETE FROM q RETURNING id) DELETE FROM t WHERE id IN (SELECT id FROM x)',
      'DELETE FROM t WHERE CURRENT OF c',
      'EXPLAIN DELETE FROM t WHERE id=1',
      'INSERT INTO t VALUES (1)',
      'MERGE INTO t USING u ON t.id=u.id WHEN MATCHED THEN DELETE',
    ]
    expect(texts.map((text) => classified(text).impact)).toEqual(texts.map(() => undefined))
  })
})
