import { expect, test } from 'vitest'
import { POLICY_FIELD_NAMES } from '#lib/gate/policy/fields.ts'
import { RULES, renderPolicyDocument } from '#lib/gate/policy/index.ts'

test('docs/policy.md is what the fields and rules say', async () => {
  await expect(renderPolicyDocument()).toMatchFileSnapshot('../../../../docs/policy.md')
})

test('the page has a row for every field and every rule', () => {
  const rows = renderPolicyDocument()
    .split('\n')
    .filter((line) => line.startsWith('| `') || /^\| \d+ \| `/.test(line))
  expect(POLICY_FIELD_NAMES).toHaveLength(23)
  expect(RULES.length).toBeGreaterThanOrEqual(9)
  expect(rows).toHaveLength(POLICY_FIELD_NAMES.length + RULES.length)
})
