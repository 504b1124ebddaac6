/** Approved statements that outlive their request: ordered once, run once, collected by the one who asked. */
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { OpenQueryGate, Principal, QueryAnswer, QueryRequest } from '#lib/gate/index.ts'
import type { ApprovalId, Instant, JsonObject } from '#lib/kernel/index.ts'
import { instantFrom, MINUTE_MS } from '#lib/kernel/index.ts'
import { decodeTicketKey, openCollectingGate, runTicket } from '#lib/product/index.ts'
import { planTicket } from '#lib/product/ticket/plan.ts'
import { heldRequest, InMemoryApprovals } from '#test/support/api/in-memory-approvals.ts'
import { createFixedClock, FIXED_START_MS } from '#test/support/fixed-clock.ts'

const AT = instantFrom(FIXED_START_MS) as Instant
const queued = { state: 'queued', queuedAt: AT } as const
const running = { ...queued, state: 'running', startedAt: AT } as const
const done = { ...running, state: 'done', doneAt: AT, answer: {} as QueryAnswer, answerSha256: 'a' as never } as const

describe('what a call does about its ticket', () => {
  test.each([
    ['no approval of the caller', undefined, undefined, 0, 'judge'],
    ['a pending approval', 'pending', undefined, 0, 'judge'],
    ['an approved one', 'approved', undefined, 0, 'queue'],
    ['one that was used without a ticket', 'consumed', undefined, 0, 'judge'],
    ['one in the queue', 'approved', queued, MINUTE_MS, 'wait'],
    ['one in the queue whose message may be lost', 'approved', queued, MINUTE_MS + 1, 'send-again'],
    ['one that runs', 'consumed', running, 16 * MINUTE_MS, 'wait'],
    ['one that runs for longer than anything may', 'consumed', running, 16 * MINUTE_MS + 1, 'lost'],
    ['one that runs too long without having used its approval', 'approved', running, 17 * MINUTE_MS, 'lost'],
    ['one that runs while the clock went back', 'consumed', running, -60 * MINUTE_MS, 'wait'],
    ['a finished one', 'consumed', done, 0, 'answer'],
    ['a finished one that left its approval unused', 'approved', done, 0, 'queue'],
  ] as const)('%s', (_case, approval, progress, afterMs, step) => {
    expect(planTicket(approval, progress, FIXED_START_MS + afterMs)).toBe(step)
  })
})

const agent: Principal = { name: 'agent', scopes: ['query:execute'], agentIds: [] }
const thief: Principal = { ...agent, name: 'thief' }
const request: QueryRequest = { query: 'DROP TABLE users', agentId: 'bot' }

let records: ReturnType<typeof openSqliteRecordStore>
let approvals: InMemoryApprovals
let id: ApprovalId
let clock: ReturnType<typeof createFixedClock>
let sent: JsonObject[]
let runs: { principal: string; request: QueryRequest }[]
let next: () => Promise<QueryAnswer>

const base = { risk_level: 'CRITICAL', safety_metadata: {} as never, audit_id: 'aud_1' } as const
const dropped: QueryAnswer = {
  ...base,
  status: 'executed',
  result_type: 'command',
  command: 'DROP TABLE',
  rows_affected: 0,
}

beforeEach(async () => {
  clock = createFixedClock()
  records = openSqliteRecordStore({ path: ':memory:', clock })
  approvals = new InMemoryApprovals()
  id = (await approvals.hold(heldRequest('agent', request.query))).id
  await approvals.decide(id, { outcome: 'approved', decidedBy: 'operator' })
  sent = []
  runs = []
  next = async () => dropped
})
afterEach(() => records.close())

function consume(): void {
  const approval = approvals.byId.get(id)
  if (approval !== undefined) approvals.byId.set(id, { ...approval, state: 'consumed' })
}

const executor: OpenQueryGate = {
  async execute(principal, given) {
    runs.push({ principal: principal.name, request: given })
    return next()
  },
  analyze: async () => ({}) as never,
  settled: async () => {},
}
/** Judges and never runs. */
const judge: OpenQueryGate = {
  ...executor,
  execute: async () => ({ ...base, status: 'denied', message: 'judged at the door' }),
}

const door = () =>
  openCollectingGate({
    gate: judge,
    approvals,
    records,
    clock,
    environment: 'test',
    clusterId: 'cluster',
    waitMs: 0,
    queue: {
      async send(_kind, body) {
        sent.push(body)
        return 'work_1'
      },
    },
  })
const runSent = (index = 0) =>
  runTicket({ gate: executor, records, clock }, decodeTicketKey(sent[index] ?? expect.fail()), 'correlation')
const call = (principal = agent, more: Partial<QueryRequest> = {}) =>
  door().execute(principal, { ...request, ...more, approvalId: id })

describe('an approved statement', () => {
  it('is ordered once, told to be executing, run once, and collected as often as its requester asks', async () => {
    expect(await call()).toMatchObject({ status: 'executing', approval_id: id, risk_level: 'CRITICAL' })
    expect(await call()).toMatchObject({ status: 'executing' })
    expect(sent).toHaveLength(1)
    consume()
    expect(await runSent()).toEqual({ outcome: 'done', status: 'executed' })
    expect(runs).toEqual([
      { principal: 'agent', request: { ...request, approvalId: id, correlationId: 'correlation' } },
    ])
    expect(await call()).toEqual(dropped)
    expect(await call()).toEqual(dropped)
    expect(runs).toHaveLength(1)
  })

  it('is run once, however often its order is delivered', async () => {
    await call()
    const outcomes = await Promise.all([runSent(), runSent(), runSent()])
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['done', 'skipped', 'skipped'])
    expect(await runSent()).toEqual({ outcome: 'skipped' })
    expect(runs).toHaveLength(1)
  })

  it('is answered to nobody else, and not to another request of the same principal', async () => {
    await call()
    consume()
    await runSent()
    expect(await call(thief)).toMatchObject({ status: 'denied', message: 'judged at the door' })
    expect(await call(agent, { query: 'DROP TABLE orders' })).toMatchObject({ message: 'judged at the door' })
    expect(await call(agent, { parameters: [1] })).toMatchObject({ message: 'judged at the door' })
    expect(await call(agent, { agentId: 'another' })).toMatchObject({ message: 'judged at the door' })
    expect(runs).toHaveLength(1)
  })

  it('is never run again when its process is gone: its effect is unknown', async () => {
    await call()
    next = async () => {
      consume()
      throw new Error('killed')
    }
    await expect(runSent()).rejects.toThrow('killed')
    clock.advance(17 * MINUTE_MS)
    expect(await call()).toMatchObject({ status: 'failed', effect: 'unknown', error: { code: 'EXECUTION_UNKNOWN' } })
    expect(await runSent()).toEqual({ outcome: 'skipped' })
    expect(sent).toHaveLength(1)
    expect(runs).toHaveLength(1)
  })

  it('is ordered anew when it failed before its approval was used', async () => {
    await call()
    next = async () => ({ ...base, status: 'failed', effect: 'none', error: { code: 'X', message: 'm', hint: 'h' } })
    await runSent()
    expect(await call()).toMatchObject({ status: 'executing' })
    expect(sent).toHaveLength(2)
    next = async () => dropped
    expect(await runSent(1)).toEqual({ outcome: 'done', status: 'executed' })
  })

  it('has an answer that fits its record, and says what was left out', async () => {
    await call()
    consume()
    const noise = () => Array.from({ length: 40 }, () => Math.random().toString(36)).join('')
    const rows = Array.from({ length: 2_000 }, (_, n) => ({ n, text: noise() }))
    next = async () => ({
      ...base,
      status: 'executed',
      result_type: 'rows',
      columns: ['n', 'text'],
      row_count: 2_000,
      rows,
    })
    await runSent()
    const answer = await call()
    expect(answer).toMatchObject({ status: 'executed', truncated: { by: 'bytes' } })
    if (!('rows' in answer)) throw new Error('no rows')
    expect(answer.rows).toEqual(rows.slice(0, answer.row_count))
    expect(answer.row_count).toBeGreaterThan(200)
    expect(answer.row_count).toBeLessThan(2_000)
  })

  it.each([{}, { approvalId: 'appr_1', requestSha256: 'x' }, { approvalId: 1 }])('refuses the order %j', (body) => {
    expect(() => decodeTicketKey(body)).toThrow(expect.objectContaining({ code: 'WORK_INVALID' }))
  })
})
