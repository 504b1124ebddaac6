import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outcomeOf, renderColumns } from '#test/support/hostile/attack.ts'
import { watchMemory } from '#test/support/hostile/memory.ts'
import { openRange, type Range } from '#test/support/hostile/range.ts'

const SEED = `
CREATE TABLE numbers AS SELECT i, repeat('a', 100) AS t FROM generate_series(1, 20000) i;
CREATE TABLE documents AS SELECT i, jsonb_build_object('k', i) AS d FROM generate_series(1, 2000) i;`

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

/** Each asks for more than a server has to give: of time, of memory, or of rows. */
const ATTACKS: readonly (readonly [name: string, sql: string])[] = [
  ['one long text', "SELECT length(repeat('x', 1000000000))"],
  ['one long text in the answer', "SELECT repeat('x', 500000000)"],
  ['a text of texts', "SELECT repeat(repeat(repeat('x', 30000), 30000), 2)"],
  ['folding of constants', "SELECT 1 WHERE length(repeat('x', 900000000) || repeat('y', 100000000)) > 5"],
  ['folding of arrays', 'SELECT array_length(array_fill(1, ARRAY[100000000]), 1)'],
  [
    'folding of many constants',
    `SELECT ${Array.from({ length: 40 }, () => "length(repeat('x', 100000000))").join(' + ')}`,
  ],
  ['a series without end', 'SELECT count(*) FROM generate_series(1, 100000000000)'],
  ['a series in the answer', 'SELECT generate_series(1, 100000000000)'],
  ['a cartesian join', 'SELECT count(*) FROM numbers a, numbers b, numbers c'],
  ['a sort of a cartesian join', 'SELECT a.t || b.t FROM numbers a, numbers b ORDER BY 1 LIMIT 1'],
  ['an aggregate of everything', "SELECT length(string_agg(a.t, ',')) FROM numbers a, numbers b"],
  ['an array of everything', 'SELECT cardinality(array_agg(a.t)) FROM numbers a, numbers b'],
  [
    'a recursion without end',
    'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r',
  ],
  ['a regular expression that backtracks', "SELECT repeat('a', 5000) ~ '(a*)*(a*)*(a*)*b'"],
  ['a regular expression with large counts', "SELECT 'a' ~ '((a{1,200}){1,200}){1,200}'"],
  ['a deep document', `SELECT '${nested(6000)}'::jsonb`],
  ['a very deep document', `SELECT '${nested(100000)}'::json`],
  ['a factorial', 'SELECT factorial(30000)'],
  ['a power', 'SELECT length((9::numeric ^ 100000)::text)'],
  ['a flood of rows', 'SELECT * FROM numbers, documents'],
  ['a flood of bytes', 'SELECT t FROM numbers'],
  ['wide rows', "SELECT i, repeat('w', 100000) FROM numbers"],
]

const ENVIRONMENT = { BACKSTOP_STATEMENT_TIMEOUT_MS: '2000', BACKSTOP_ASSESS_TIMEOUT_MS: '2000' }

let range: Range
beforeAll(async () => {
  range = await openRange({ role: 'ordinary', seedSql: SEED, environment: ENVIRONMENT })
})
afterAll(() => range.stop())

const MOST_BYTES = 4 * 1024 ** 3
const ANSWER_BYTES = 1_400_000

describe('statements that ask for more than there is', () => {
  it('end, leave the gateway answering others, and take bounded memory', async () => {
    const startedAt = await range.own('SELECT pg_postmaster_start_time() AS at')
    const rows: string[][] = [['attack', 'outcome', 'why', 'answer kB', 'server MB']]
    for (const [name, sql] of ATTACKS) {
      const watch = watchMemory(range.site.dataFolder)
      const attack = range.attack(sql)
      const others = await Promise.all(Array.from({ length: 4 }, (_, n) => range.attack(`SELECT ${n}`, {}, 'agent2')))
      const reply = await attack
      await watch.stop()
      expect(others.map(outcomeOf)).toEqual(Array(4).fill('ran-harmless'))
      const answer = JSON.stringify(reply.body)
      const why = reply.body.result?.error?.sql_state ?? reply.body.result?.truncated?.by ?? ''
      rows.push([name, outcomeOf(reply), why, String(answer.length >> 10), String(watch.peakBytes() >> 20)])
      expect(answer.length).toBeLessThan(ANSWER_BYTES)
      expect(watch.peakBytes(), name).toBeLessThan(MOST_BYTES)
    }
    console.log(renderColumns(rows))
    expect(rows.length).toBeGreaterThan(20)
    expect(await range.own('SELECT pg_postmaster_start_time() AS at')).toEqual(startedAt)
    expect(await range.isWitnessAlive()).toBe(true)
  })

  it('end all together, with the gateway still answering', async () => {
    const attacks = ATTACKS.filter(([name]) => /series|cartesian|recursion|regular/.test(name))
    const all = attacks.map(([, sql]) => range.attack(sql))
    const other = await range.attack('SELECT 1', {}, 'agent2')
    expect((await range.product.call('operator', 'GET', '/pending')).status).toBe(200)
    const outcomes = (await Promise.all(all)).map(outcomeOf)
    expect(outcomes.length).toBeGreaterThanOrEqual(7)
    expect(['ran-harmless', 'failed']).toContain(outcomeOf(other))
    expect(outcomeOf(await range.attack('SELECT 1', {}, 'agent2'))).toBe('ran-harmless')
    expect(await range.isWitnessAlive()).toBe(true)
  })
})
