/** A clock that jumps, around captures, approvals, leases, retention and drills. */
import { Client } from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { localFiles } from '#lib/adapters/native/index.ts'
import type { QueryAnswer } from '#lib/gate/index.ts'
import { captureRound, drillWhenDue, expire, openClockWatch } from '#lib/product/index.ts'
import { eventually } from '#test/support/eventually.ts'
import {
  invalidOffers,
  type KnownPoint,
  knownPoint,
  listAll,
  lostPoints,
  unhealed,
} from '#test/support/fault/promise.ts'
import { type FaultLine, renderFaults } from '#test/support/fault/table.ts'
import { ACCOUNTS, type FaultWorld, openFaultWorld } from '#test/support/fault/world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const KEEP_LITTLE = {
  keepLast: 1,
  keepDays: 2,
  keepHourly: 0,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  finalDays: 0,
  quarantineDays: 0,
}
const GROUND = { files: localFiles, restoreCommand: () => 'false', native: { reason: 'not in this test' } } as const
const AGENT = { name: 'agent', scopes: ['query:execute'], agentIds: [] }
const lines: FaultLine[] = []
afterAll(() => console.log(renderFaults('clock', lines)))

const JUMPS: readonly (readonly [string, (world: FaultWorld) => void])[] = [
  ['an hour back', ({ clock }) => clock.jump(-HOUR_MS)],
  ['a day forward', ({ clock }) => clock.jump(24 * HOUR_MS)],
  ['back to 1970', ({ clock }) => clock.jumpTo(5 * MINUTE_MS)],
  ['ten years forward', ({ clock }) => clock.jump(3_652 * 24 * HOUR_MS)],
]

interface Prepared {
  readonly world: FaultWorld
  readonly watch: ReturnType<typeof openClockWatch>
  readonly looked: { readonly recovery: FaultWorld['parts']['recovery']; readonly db: FaultWorld['db'] }
  readonly known: readonly KnownPoint[]
}

async function prepare(): Promise<Prepared> {
  const world = await openFaultWorld()
  const looked = { recovery: world.parts.recovery, db: world.db }
  const watch = openClockWatch(world.parts)
  await captureRound(world.parts)
  await watch.look()
  const known: KnownPoint[] = []
  for (let one = 0; one < 3; one++) {
    known.push(await knownPoint(looked, ACCOUNTS))
    await world.db.run('UPDATE accounts SET balance = balance + 1')
    world.clock.advance(20 * MINUTE_MS)
  }
  await watch.look()
  expect(world.told.filter(({ eventType }) => eventType === 'clock_jumped')).toEqual([])
  return { world, looked, watch, known }
}

async function expectPromises({ world, looked, watch, known }: Prepared, line: Pick<FaultLine, 'fault' | 'moment'>) {
  await watch.look()
  await watch.look()
  const told = world.told.filter(({ eventType }) => eventType === 'clock_jumped')
  const before = (await listAll(looked.recovery)).map(({ snapshotId }) => snapshotId)
  const problems = [...(await invalidOffers(looked)), ...(await lostPoints(looked, known))]
  await world.db.run(`UPDATE accounts SET owner = 'after' WHERE id = 1`)
  world.clock.advance(10 * MINUTE_MS)
  await captureRound(world.parts)
  problems.push(...(await unhealed(looked, ACCOUNTS, before)))
  if ((await looked.recovery.findHeartbeat())?.isHealthy !== true) problems.push('the heartbeat is not healthy')
  const counted = told.length === 0 ? '' : `clock_jumped×${told.length}`
  lines.push({ ...line, told: counted, result: problems.length === 0 ? 'holds' : problems.join('; ') })
  expect(problems).toEqual([])
  expect(told.map(({ recommendedAction }) => recommendedAction)).toEqual([
    expect.stringContaining('time synchronisation'),
  ])
}

describe.each(JUMPS)('the clock jumps %s', (name, jump) => {
  test('between two captures: the next one is taken, and the newest is offered', async () => {
    const prepared = await prepare()
    try {
      jump(prepared.world)
      await captureRound(prepared.world.parts)
      await expectPromises(prepared, { fault: name, moment: 'between captures' })
    } finally {
      await prepared.world.close()
    }
  })

  test('during a capture: its lease stops nobody, and no point is half', async () => {
    const prepared = await prepare()
    const { world } = prepared
    const holder = new Client({ connectionString: world.db.url })
    await holder.connect()
    try {
      await holder.query('BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE')
      const first = captureRound(world.parts)
      const waits = `SELECT count(*)::int AS count FROM pg_locks WHERE relation = 'accounts'::regclass AND NOT granted`
      await eventually(async () => Number((await world.db.run(waits))[0]?.['count']) > 0, { timeoutMs: 30_000 })
      jump(world)
      const second = captureRound(world.parts)
      await holder.query('COMMIT')
      await Promise.all([first, second])
      await expectPromises(prepared, { fault: name, moment: 'during a capture' })
    } finally {
      await holder.end()
      await world.close()
    }
  })

  test('while a statement is held: it is decided and used once, or it has expired, and nothing in between', async () => {
    const prepared = await prepare()
    const { world } = prepared
    try {
      await captureRound(world.parts)
      const held: QueryAnswer = await world.parts.gate.execute(AGENT, {
        query: 'DELETE FROM accounts',
        agentId: 'tester',
      })
      if (held.status !== 'approval_required') throw new Error(`it is ${held.status}`)
      const id = held.approval_id
      jump(world)
      await expire(world.parts)
      const approval = await world.parts.approvals.find(id)
      const decided = await world.parts.approvals
        .decide(id, { outcome: 'approved', decidedBy: 'operator' })
        .then(({ state }) => state as string)
        .catch((error: { code: string }) => error.code)
      expect({ name, state: approval?.state, decided }).toEqual(
        name.endsWith('forward')
          ? {
              name,
              state: name.startsWith('ten') ? undefined : 'expired',
              decided: expect.stringMatching(/^APPROVAL_(DECIDED|MISSING)$/),
            }
          : {
              name,
              state: expect.stringMatching(/^(pending|expired)$/),
              decided: expect.stringMatching(/^(approved|APPROVAL_\w+)$/),
            },
      )
      if (decided !== 'approved') {
        const [row] = await world.db.run('SELECT count(*)::int AS rows FROM accounts')
        expect(row).toEqual({ rows: 500 })
      }
      await expectPromises(prepared, { fault: name, moment: `held statement: ${decided}` })
    } finally {
      await world.close()
    }
  })

  test('before retention runs: nothing is removed until the date is trusted', async () => {
    const prepared = await prepare()
    const { world, looked } = prepared
    try {
      const retain = () => looked.recovery.retain({ policy: KEEP_LITTLE, findNeeded: async () => [], isDryRun: false })
      await retain()
      const valid = async () => (await listAll(looked.recovery)).filter(({ status }) => status === 'valid').length
      const before = await valid()
      jump(world)
      const report = await retain()
      expect({ name, removed: report.removed.length, left: await valid() }).toEqual({ name, removed: 0, left: before })
      await expectPromises(prepared, { fault: name, moment: 'retention' })
    } finally {
      await world.close()
    }
  })

  test('between two drills: the next one comes, and restores', async () => {
    const prepared = await prepare()
    const { world } = prepared
    try {
      const results = async () =>
        (await drillWhenDue(world.parts, GROUND)).map(({ evidence }) => evidence.failure?.reason ?? evidence.result)
      expect(await results()).toContain('ok')
      jump(world)
      world.clock.advance(25 * HOUR_MS)
      await prepared.watch.look()
      const after = await results()
      expect({ name, after }).toEqual({ name, after: expect.arrayContaining(['ok']) })
      expect(after.filter((result) => result !== 'ok' && result !== 'skipped')).toEqual([])
      await expectPromises(prepared, { fault: name, moment: 'drills' })
    } finally {
      await world.close()
    }
  })
})
