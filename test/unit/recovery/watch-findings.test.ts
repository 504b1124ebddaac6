import { expect, test } from 'vitest'
import type { DirectSession } from '#lib/recovery/index.ts'
import { buildFindings } from '#lib/recovery/watch/index.ts'

const SESSION: DirectSession = {
  processId: 1,
  user: 'agent',
  applicationName: 'psql',
  address: '10.0.0.1',
  since: null,
}
const looked = (sessions: readonly DirectSession[], loginRoles: readonly string[] = []) => ({
  sessions,
  loginRoles,
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
