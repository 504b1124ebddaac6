import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRange, type Range } from '#test/support/hostile/range.ts'

describe('the second look, inside the write', () => {
  let range: Range
  beforeAll(async () => {
    const seedSql = 'CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i FROM generate_series(1, 100) i;'
    range = await openRange({ role: 'ordinary', seedSql, environment: { BACKSTOP_ASSESS_TIMEOUT_MS: '2000' } })
  })
  afterAll(() => range.stop())

  it('takes no longer than a look, whatever the predicate costs', async () => {
    const endless = '(SELECT count(*) FROM generate_series(1, 1000000000000)) > 0'
    const attacks = Array.from({ length: 4 }, (_, n) =>
      range.attack(`UPDATE t SET v = 1 WHERE id = ${n} AND ${endless}`),
    )
    for (const reply of await Promise.all(attacks)) expect(reply.body.result).toMatchObject({ status: 'failed' })
    const other = await range.attack('UPDATE t SET v = 2 WHERE id = 50', {}, 'agent2')
    expect(other.body.result).toMatchObject({ status: 'executed' })
  })
})
