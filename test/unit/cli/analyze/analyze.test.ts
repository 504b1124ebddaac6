import { describe, expect, test } from 'vitest'
import { runInProcess } from '#test/support/cli/fake-io.ts'

async function analyze(sql: string, environment: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout } = await runInProcess(['analyze', sql, '--json'], { environment })
  return { exitCode, ...JSON.parse(stdout) }
}

describe('analyze', () => {
  test.each([
    ['SELECT 1', 'SAFE', 'execute'],
    ['WITH d AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM d', 'CRITICAL', 'approve'],
    ['DROP DATABASE shop', 'CRITICAL', 'block'],
    ['SELECT 1; DROP TABLE t', 'CRITICAL', 'block'],
    ['SELEC 1', 'CRITICAL', 'block'],
  ])('%s is %s and leads to %s', async (sql, level, action) => {
    expect(await analyze(sql)).toMatchObject({ ok: true, exitCode: 0, risk_level: level, policy_action: action })
  })

  test('names what a statement destroys, and that it was judged by its text alone', async () => {
    const answer = await analyze('DROP TABLE billing.invoices CASCADE')
    expect(answer).toMatchObject({ operation: 'DROP TABLE', recovery_required: true, database: null, impact: null })
    expect(answer.targets).toEqual([
      expect.objectContaining({ schema: 'billing', name: 'invoices', access: 'drop', is_destructive: true }),
    ])
  })

  test('obeys the overrides of the environment', async () => {
    expect(await analyze('SELECT 1', { BACKSTOP_POLICY_SAFE: 'approve' })).toMatchObject({ policy_action: 'approve' })
  })

  test('prints findings for people', async () => {
    const { stdout } = await runInProcess(['analyze', 'DELETE FROM orders'])
    expect(stdout).toMatch(/^risk +CRITICAL$/m)
    expect(stdout).toMatch(/^CRITICAL +unscoped-delete +/m)
  })
})
