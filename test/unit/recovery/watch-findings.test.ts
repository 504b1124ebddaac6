import { expect, test } from 'vitest'
import type { DirectSession } from '#lib/recovery/index.ts'
import { buildFindings, judgePosture } from '#lib/recovery/watch/index.ts'

const SESSION: DirectSession = {
  processId: 1,
  user: 'agent',
  because: 'agent-role',
  applicationName: 'psql',
  address: '10.0.0.1',
  since: null,
}
const looked = (sessions: readonly DirectSession[], loginRoles: readonly string[] = []) => ({
  sessions,
  loginRoles,
  agentRoles: ['agent'],
  isGatewaySuperuser: false,
  checked: [],
  skipped: [],
})

test('sessions of one client are one finding with a key that stays', () => {
  const [finding, ...others] = buildFindings(looked([SESSION, { ...SESSION, processId: 2 }]))
  expect(others).toEqual([])
  expect(finding?.facts).toMatchObject({ sessions: 2, processIds: [1, 2] })
  expect(buildFindings(looked([{ ...SESSION, processId: 3 }]))[0]?.dedupeKey).toBe(finding?.dedupeKey)
})

test('another role, application or address is another finding', () => {
  const others = [{ user: 'other' }, { applicationName: 'dbeaver' }, { address: '10.0.0.2' }, { address: null }]
  const findings = buildFindings(looked([SESSION, ...others.map((other) => ({ ...SESSION, ...other }))]))
  expect(new Set(findings.map(({ dedupeKey }) => dedupeKey)).size).toBe(5)
})

test('many sessions are named by their number and the first process ids', () => {
  const many = Array.from({ length: 500 }, (_, processId) => ({ ...SESSION, processId }))
  expect(buildFindings(looked(many))[0]?.facts).toMatchObject({ sessions: 500, processIds: { length: 10 } })
})

test('nothing seen is nothing found', () => {
  expect(buildFindings(looked([]))).toEqual([])
})

test("a stranger at the gateway's own role is a warning, an agent at its own is critical", () => {
  const stranger = buildFindings(looked([{ ...SESSION, because: 'gateway-role' }]))
  expect(stranger).toMatchObject([{ severity: 'warning', eventType: 'gateway_bypass_detected' }])
  expect(stranger[0]?.recommendedAction).toContain('backstop init-roles')
  expect(buildFindings(looked([SESSION]))).toMatchObject([{ severity: 'critical' }])
})

test('the posture is healthy only when agents are known, cannot log in and are not here', () => {
  expect(judgePosture(looked([]))).toEqual({ status: 'healthy', reasons: [] })
  expect(judgePosture(looked([SESSION]))).toMatchObject({
    status: 'recovery_only',
    reasons: ['somebody is connected past the gate as agent'],
  })
  for (const weak of [{ agentRoles: [] }, { loginRoles: ['agent'] }, { isGatewaySuperuser: true }]) {
    const { status, reasons } = judgePosture({ ...looked([]), ...weak })
    expect([status, reasons.length]).toEqual(['degraded', 1])
  }
  const skipped = [{ subject: 'role nobody', reason: 'there is no such role' }]
  expect(judgePosture({ ...looked([]), skipped }).reasons).toEqual(['role nobody: there is no such role'])
})
