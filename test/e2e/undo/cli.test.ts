/** `backstop undo` as a process, against a running product. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCliJson, runCliProcess } from '#test/support/cli/run-cli.ts'
import { startTestProduct, type TestProduct, TOKENS } from '#test/support/product.ts'

let t: TestProduct
beforeAll(async () => {
  t = await startTestProduct({
    seedSql: `CREATE TABLE notes (id int PRIMARY KEY, body text); INSERT INTO notes SELECT i, 'n' || i FROM generate_series(1, 20) i;`,
  })
})
afterAll(() => t.stop())

const environment = () => ({ BACKSTOP_URL: t.product.url, BACKSTOP_TOKEN: TOKENS.admin })

it('shows, reverses, and reverses the reversal', async () => {
  const done = await t.query('WITH d AS (DELETE FROM notes WHERE id = 1) UPDATE notes SET body = NULL WHERE id = 2')
  const look = await runCliProcess(['undo', done.audit_id, '--dry-run'], environment())
  expect(look).toMatchObject({ exitCode: 0, stderr: '' })
  expect(look.stdout).toContain('Dry run: 2 rows would be set back.')
  expect(look.stdout).toMatch(/public\.notes +id=2 +old values +body: NULL → n2/)
  expect(look.stdout).toMatch(/public\.notes +id=1 +comes back +id=1, body=n1/)
  expect(await t.db.run('SELECT count(*)::int FROM notes')).toEqual([{ count: 19 }])

  const { exitCode, data } = await runCliJson(['undo', done.audit_id], environment())
  expect(exitCode).toBe(0)
  expect(data).toMatchObject({ ok: true, undo: { status: 'undone', reversed_count: 2, conflict_count: 0 } })
  expect(await t.db.run('SELECT count(*)::int, count(body)::int AS bodies FROM notes')).toEqual([
    { count: 20, bodies: 20 },
  ])

  const back = await runCliProcess(['undo', data.undo.undo_audit_id], environment())
  expect(back).toMatchObject({ exitCode: 0 })
  expect(back.stdout).toContain('is undone: 2 rows.')
  expect(await t.db.run('SELECT count(*)::int FROM notes')).toEqual([{ count: 19 }])
})

it('ends with 1 on conflicts and says what to do next', async () => {
  const done = await t.query(`UPDATE notes SET body = 'x' WHERE id = 5`)
  await t.db.run(`UPDATE notes SET body = 'y' WHERE id = 5`)
  const refused = await runCliProcess(['undo', done.audit_id], environment())
  expect(refused.exitCode).toBe(1)
  expect(refused.stdout).toContain('Nothing was changed: 1 rows changed since.')
  expect(refused.stdout).toContain('changed since: body')
  expect(refused.stdout).toContain(`backstop undo ${done.audit_id} --conflict-policy skip`)
  const unknown = await runCliJson(['undo', `aud_${'f'.repeat(32)}`], environment())
  expect(unknown).toMatchObject({ exitCode: 1, data: { ok: false, error: { code: 'UNDO_MISSING' } } })
  const usage = await runCliProcess(['undo', done.audit_id, '--conflict-policy', 'overwrite'], environment())
  expect(usage.exitCode).toBe(2)
})
