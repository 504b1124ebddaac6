import { expect, test } from 'vitest'
import { activatePolicy, defaultPolicy, parseLevelActions } from '#lib/gate/policy/index.ts'

test('reads one action per level and leaves everything else alone', () => {
  expect(
    parseLevelActions({
      BACKSTOP_POLICY: '/etc/backstop/policy.json',
      BACKSTOP_POLICY_SAFE: 'execute',
      BACKSTOP_POLICY_LOW: ' Approve ',
      BACKSTOP_POLICY_HIGH: '',
      BACKSTOP_POLICY_IMPACT_CRITICAL: 'approve',
      BACKSTOP_POLICY_CRITICAL: 'block',
      BACKSTOP_PORT: '8080',
      PATH: undefined,
    }),
  ).toEqual({ SAFE: 'execute', LOW: 'approve', IMPACT_CRITICAL: 'approve', CRITICAL: 'block' })
})

test.each([
  [{ BACKSTOP_POLICY_HIGH: 'allow' }, 'BACKSTOP_POLICY_HIGH must be execute, approve or block'],
  [{ BACKSTOP_POLICY_CRITCAL: 'block' }, 'BACKSTOP_POLICY_CRITCAL is not a setting'],
  [{ BACKSTOP_POLICY_high: 'block' }, 'BACKSTOP_POLICY_high is not a setting'],
])('refuses %o by name', (environment, message) => {
  expect(() => parseLevelActions(environment)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => parseLevelActions(environment)).toThrow(message)
})

test('the version covers the file and the overrides', () => {
  const plain = activatePolicy(defaultPolicy(), {}).version
  expect(activatePolicy(defaultPolicy(), {}).version).toBe(plain)
  expect(activatePolicy(defaultPolicy(), { HIGH: 'execute' }).version).not.toBe(plain)
  expect(activatePolicy({ ...defaultPolicy(), max_snapshot_age_seconds: 301 }, {}).version).not.toBe(plain)
})
