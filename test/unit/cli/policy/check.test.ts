import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runInProcess } from '#test/support/cli/fake-io.ts'

let folder = ''
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'backstop-policy-test-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a good policy is printed with every field and what each level leads to', async () => {
  const path = file('good.json', '{"require_approval_for_risks": ["CRITICAL"], "max_write_rows_without_critical": 250}')
  const { exitCode, stdout } = await runInProcess(['policy', 'check', path])
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^CRITICAL +approve +require_approval_for_risks$/m)
  expect(stdout).toMatch(/^HIGH +execute +require_approval_for_risks$/m)
  expect(stdout).toMatch(/^max_write_rows_without_critical +250$/m)
})

test('the overrides of the environment count', async () => {
  const environment = { BACKSTOP_POLICY_CRITICAL: 'block' }
  const { stdout } = await runInProcess(['policy', 'check', '--json'], { environment })
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    source: 'the defaults',
    actions: { SAFE: 'execute', CRITICAL: 'block' },
  })
})

test('every problem of a bad policy is told with its place and a suggestion, exit 1', async () => {
  const path = file(
    'bad.json',
    '{"protected_table": ["users"], "max_snapshot_age_seconds": "300", "unknown_impact_action": "aprove"}',
  )
  const { exitCode, stdout } = await runInProcess(['policy', 'check', path, '--json'])
  expect(exitCode).toBe(1)
  const { ok, problems } = JSON.parse(stdout)
  expect(ok).toBe(false)
  expect(problems).toHaveLength(3)
  expect(problems).toContainEqual(expect.objectContaining({ path: 'protected_table', suggestion: 'protected_tables' }))
  expect(problems).toContainEqual(expect.objectContaining({ path: 'unknown_impact_action', suggestion: 'approve' }))
})

test('a file that is not there is an error, not the defaults', async () => {
  const { exitCode, stderr } = await runInProcess(['policy', 'check', join(folder, 'absent.json')])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('cannot be read')
})
