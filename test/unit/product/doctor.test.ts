/** The verdict of a launch, and single checks of who may do what. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { activatePolicy, defaultPolicy } from '#lib/gate/index.ts'
import { BackstopError, instantFrom } from '#lib/kernel/index.ts'
import { checkAlerts, checkPolicy, checkTokens } from '#lib/product/doctor/check-access.ts'
import { checkDrills } from '#lib/product/doctor/check-drills.ts'
import { checkMetadata } from '#lib/product/doctor/check-metadata.ts'
import { type CheckReport, Notebook } from '#lib/product/doctor/model.ts'
import { judgeLaunch, noteDoctor } from '#lib/product/index.ts'
import { noteUnrunnable, runPrepareDrill, runWalDrill } from '#lib/recovery/index.ts'
import { createFixedClock } from '#test/support/fixed-clock.ts'
import { type DrillWorld, openDrillWorld } from '#test/support/recovery/drill-world.ts'

const clock = createFixedClock()
const LONG = 'x'.repeat(20)

function check(note: (notebook: Notebook) => void): CheckReport {
  const notebook = new Notebook('one')
  notebook.looked('something')
  note(notebook)
  return notebook.report()
}

describe('the verdict', () => {
  const good = check(() => {})
  test.each([
    ['everything was looked at', [good], 'ready'],
    ['something does not apply', [good, check((one) => one.passOver('a', 'b'))], 'ready'],
    ['something could have been looked at', [good, check((one) => one.skip('a', 'give --db'))], 'degraded'],
    ['something is less than it should be', [good, check((one) => one.degrade('a', 'b'))], 'degraded'],
    [
      'something failed',
      [good, check((one) => one.degrade('a', 'b')), check((one) => one.fail('a', 'b'))],
      'not_ready',
    ],
    ['nothing was looked at', [], 'degraded'],
  ] as const)('where %s', (_, checks, verdict) => {
    expect(judgeLaunch(checks)).toBe(verdict)
  })

  test('a check that looked at nothing is skipped, and every finding has its fix and a question for its owner', () => {
    expect(new Notebook('none').report().status).toBe('skipped')
    const { status, findings } = check((one) => one.degrade('the disk is small', 'Buy another.'))
    expect(status).toBe('degraded')
    expect(findings).toEqual([
      {
        severity: 'degraded',
        problem: 'the disk is small',
        fix: 'Buy another.',
        ownerQuestion: expect.stringContaining('the disk is small'),
      },
    ])
  })
})

const token = (id: string, scopes: string[], more: object = {}) => ({ id, token: `${id}${LONG}`, scopes, ...more })
const AGENT = token('agent', ['query:execute', 'query:analyze'])
const OPERATOR = token('operator', ['approval:read', 'approval:write'])

describe('tokens', () => {
  const look = (entries: object[] | string, isDevMode = false) =>
    checkTokens({ text: typeof entries === 'string' ? entries : JSON.stringify(entries), isDevMode }, clock)

  test('one for agents and one for operators are good', () => {
    expect(look([AGENT, OPERATOR])).toMatchObject({ status: 'ok', findings: [] })
  })

  test.each([
    ['an agent that may decide', [token('both', ['query:execute', 'approval:write']), OPERATOR], 'also approval:write'],
    ['no operator', [AGENT], 'no operator can decide'],
    ['no agent', [OPERATOR], 'no token is for agents'],
    [
      'one that expired',
      [AGENT, OPERATOR, token('old', ['metadata:read'], { expires_at: '2020-01-01T00:00:00Z' })],
      'expired',
    ],
  ])('%s degrades', (_, entries, problem) => {
    const report = look(entries)
    expect(report.status).toBe('degraded')
    expect(report.findings[0]?.problem).toContain(problem)
  })

  test.each([
    ['not a file of tokens', '{'],
    ['the well-known token', JSON.stringify([AGENT, OPERATOR, { id: 'd', token: 'dev-token', scopes: ['admin:*'] }])],
  ])('%s fails', (_, text) => {
    expect(look(text).status).toBe('failed')
  })

  test('dev mode fails, also without a file', () => {
    expect(look([AGENT, OPERATOR], true).status).toBe('failed')
    const none = checkTokens({ text: undefined, isDevMode: false }, clock)
    expect(none).toMatchObject({
      status: 'skipped',
      skipped: [{ isOpen: true, reason: expect.stringContaining('--tokens') }],
    })
  })
})

test('a policy that lets CRITICAL run fails, one that cannot be read too', async () => {
  const held = await checkPolicy(activatePolicy(defaultPolicy(), {}), 'the default', undefined)
  expect(held.status).toBe('ok')
  const open = await checkPolicy(activatePolicy(defaultPolicy(), { CRITICAL: 'execute' }), 'a file', undefined)
  expect(open.findings).toMatchObject([
    { severity: 'failed', fix: expect.stringContaining('BACKSTOP_POLICY_CRITICAL') },
  ])
  const bad = await checkPolicy(new BackstopError('POLICY_INVALID', 'a bad one'), 'a file', undefined)
  expect(bad.status).toBe('failed')
})

test('without a webhook nobody is told', () => {
  expect(checkAlerts(0).findings[0]?.fix).toContain('BACKSTOP_ALERT_WEBHOOK')
  expect(checkAlerts(1).status).toBe('ok')
})

test('a heartbeat is there, fresh and healthy, or the check says which it is not', async () => {
  const at = (ageMs: number, isHealthy = true) => ({
    findHeartbeat: async () => ({ at: instantFrom(clock.nowMs() - ageMs), isHealthy, detail: 'd' }),
  })
  expect((await checkMetadata(at(1_000), clock, 120)).status).toBe('ok')
  expect((await checkMetadata(at(121_000), clock, 120)).status).toBe('failed')
  expect((await checkMetadata(at(1_000, false), clock, 120)).status).toBe('degraded')
  expect((await checkMetadata({ findHeartbeat: async () => undefined }, clock, 120)).status).toBe('failed')
  expect((await checkMetadata(undefined, clock, 120)).status).toBe('skipped')
})

describe('drills', () => {
  let world: DrillWorld
  beforeEach(async () => {
    world = await openDrillWorld()
  })
  afterEach(() => world.close())
  const look = (days = 35, clusterId?: string) =>
    checkDrills(world.objects, world.clock, { clusterId, maxAgeDays: days })
  const problems = (report: CheckReport) => report.findings.map(({ severity, problem }) => `${severity} ${problem}`)

  test('that were never run are named with their commands', async () => {
    const report = await look()
    expect(report.status).toBe('degraded')
    expect(report.findings).toHaveLength(4)
    expect(report.findings.every(({ fix }) => fix.includes('backstop drill '))).toBe(true)
    expect(report.skipped).toMatchObject([{ subject: 'pitr-restore', isOpen: false }])
  })

  test('that went well count until they are too old; one that proved nothing degrades, one that failed fails', async () => {
    await runWalDrill(world, { clusterId: 'prod' })
    await runPrepareDrill(world, { clusterId: 'prod', isSimulated: true, restoreCommand: 'c' })
    await noteUnrunnable(world, { kind: 'logical-backup-restore' }, 'no programs here')
    const now = problems(await look())
    expect(now).toEqual([
      'degraded no drill table-restore within 35 days',
      'degraded the last drill logical-backup-restore proved nothing: no programs here',
    ])
    const later = { ...world.clock, nowMs: () => Date.now() + 40 * 86_400_000, monotonicMs: () => 0 }
    expect((await checkDrills(world.objects, later, { clusterId: undefined, maxAgeDays: 35 })).findings).toHaveLength(4)
    await runPrepareDrill(world, { clusterId: 'prod', isSimulated: false, restoreCommand: 'c', backupId: 'base_none' })
    expect(problems(await look())).toContainEqual(expect.stringMatching(/^failed the last drill pitr-prepare failed/))
  })
})

test('the result of a doctor is kept, and replaced by the next', async () => {
  const world = await openDrillWorld()
  try {
    await noteDoctor(world.records, world.clock, 'storage_permissions', false, ['a'])
    await noteDoctor(world.records, world.clock, 'storage_permissions', true, [])
    const record = await world.records.find({ partition: 'doctor', sort: 'storage_permissions' })
    expect(record?.body).toMatchObject({ status: 'ok', problems: [] })
  } finally {
    await world.close()
  }
})
