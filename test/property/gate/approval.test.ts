/** Random interleavings of everything an approval desk does, with clock jumps and restarts, against what must never happen. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { Approval, ApprovalDesk, ApprovalState } from '#lib/gate/approval/index.ts'
import { openApprovalDesk } from '#lib/gate/approval/index.ts'
import { isBackstopError, sha256Hex } from '#lib/kernel/index.ts'
import type { RecordStore } from '#lib/ports/index.ts'
import type { JumpingClock } from '#test/unit/gate/approval/sample-request.ts'
import {
  bindingOf,
  createCountingRandom,
  createJumpingClock,
  requestOf,
  START_MS,
} from '#test/unit/gate/approval/sample-request.ts'

const PENDING_MS = 60_000
const VALID_MS = 20_000
const LIMIT = 3
const STATEMENTS = 5
/** Steps pick among the newest approvals, so that one is decided and claimed several times at once. */
const RECENT = 3
const PRINCIPALS = ['alice', 'bob']

type Step =
  | { readonly kind: 'hold'; readonly principal: number; readonly statement: number }
  | { readonly kind: 'decide'; readonly pick: number; readonly outcome: 'approved' | 'denied'; readonly by: string }
  | { readonly kind: 'claim'; readonly pick: number; readonly isChanged: boolean }
  | { readonly kind: 'find'; readonly pick: number }
  | { readonly kind: 'expire' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('hold' as const), principal: fc.nat(1), statement: fc.nat(4) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      pick: fc.nat(RECENT - 1),
      outcome: fc.constantFrom('approved', 'approved', 'denied'),
      by: fc.constantFrom('operator-1', 'operator-2', 'alice'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('claim' as const),
      pick: fc.nat(RECENT - 1),
      isChanged: fc.constantFrom(false, false, false, true),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('find' as const), pick: fc.nat(RECENT - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
)

/** Steps that run at once on two instances, after the clocks moved and perhaps a restart. */
const round = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  advanceMs: fc.constantFrom(0, 0, 0, 1, 5_000, 19_999, 60_000),
  jumpMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, -30_000, -120_000, 30_000, 120_000),
  restarts: fc.constantFrom(false, false, true),
  delays: fc.infiniteStream(fc.nat(3)),
})
type Round = typeof round extends fc.Arbitrary<infer R> ? R : never

const LATER: Readonly<Record<ApprovalState, readonly ApprovalState[]>> = {
  pending: ['pending', 'approved', 'denied', 'expired', 'consumed'],
  approved: ['approved', 'consumed', 'expired'],
  denied: ['denied'],
  expired: ['expired'],
  consumed: ['consumed'],
}

/** A store whose every call lets others go first for a random number of turns. */
function delayed(store: RecordStore, turns: () => number): RecordStore {
  const after = async <T>(run: () => Promise<T>): Promise<T> => {
    for (let turn = turns(); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
    return run()
  }
  return {
    find: (key) => after(() => store.find(key)),
    query: (query) => after(() => store.query(query)),
    write: (write) => after(() => store.write(write)),
    transact: (writes, token) => after(() => store.transact(writes, token)),
  }
}

/** The world of one run: two desks on one store, and what was seen of every approval. */
class World {
  readonly clock: JumpingClock = createJumpingClock()
  readonly #sqlite = openSqliteRecordStore({ path: ':memory:', clock: { nowMs: () => START_MS, monotonicMs: () => 0 } })
  #desks: ApprovalDesk[] = []
  #openings = 0
  #delays: Iterator<number> | undefined
  readonly ids: string[] = []
  readonly last = new Map<string, Approval>()
  readonly decisions = new Map<string, number>()
  readonly claims = new Map<string, number>()
  /** Monotonic time of the decision and the desk that took it: a desk that comes to it later has only the wall clock. */
  readonly decidedAt = new Map<string, { readonly monotonicMs: number; readonly desk: ApprovalDesk }>()
  errors = 0

  open(): void {
    this.#openings += 1
    const store = delayed(this.#sqlite, () => this.#delays?.next().value ?? 0)
    this.#desks = [0, 1].map((instance) =>
      openApprovalDesk({
        store,
        clock: this.clock,
        random: createCountingRandom(`${this.#openings}/${instance}/`),
        pendingMs: PENDING_MS,
        validAfterDecisionMs: VALID_MS,
        maxPendingPerPrincipal: LIMIT,
      }),
    )
  }

  async play(entry: Round): Promise<void> {
    this.#delays = entry.delays[Symbol.iterator]()
    this.clock.advance(entry.advanceMs)
    this.clock.jump(entry.jumpMs)
    if (entry.restarts) this.open()
    await Promise.all(entry.steps.map((each, index) => this.#run(each, this.#desks[index % 2] as ApprovalDesk)))
    await this.#inspect()
  }

  async #run(each: Step, desk: ApprovalDesk): Promise<void> {
    try {
      await this.#attempt(each, desk)
    } catch (error) {
      if (!isBackstopError(error)) throw error
      expect(['RATE_LIMITED', 'APPROVAL_DECIDED', 'APPROVAL_SELF']).toContain(error.code)
      this.errors += 1
    }
  }

  async #attempt(each: Step, desk: ApprovalDesk): Promise<void> {
    if (each.kind === 'expire') return void (await desk.expireDue())
    if (each.kind === 'hold') {
      const binding = { principal: PRINCIPALS[each.principal] as string, ...statementOf(each.statement) }
      const { id, state } = await desk.hold(requestOf(binding))
      expect(state).toBe('pending')
      if (!this.ids.includes(id)) this.ids.push(id)
      return
    }
    const id = this.ids.at(-1 - (each.pick % Math.max(1, this.ids.length)))
    if (id === undefined) return
    if (each.kind === 'find') return void (await desk.find(id))
    if (each.kind === 'decide') return this.#decide(desk, id, each.outcome, each.by)
    await this.#claim(desk, id, each.isChanged)
  }

  async #decide(desk: ApprovalDesk, id: string, outcome: 'approved' | 'denied', decidedBy: string): Promise<void> {
    const decided = await desk.decide(id, { outcome, decidedBy })
    expect(decided.decision).toMatchObject({ outcome, decidedBy })
    expect(decidedBy).not.toBe(decided.binding.principal)
    this.decisions.set(id, (this.decisions.get(id) ?? 0) + 1)
    this.decidedAt.set(id, { monotonicMs: this.clock.monotonicMs(), desk })
  }

  async #claim(desk: ApprovalDesk, id: string, isChanged: boolean): Promise<void> {
    const known = this.last.get(id)
    if (known === undefined) return
    const submitted = isChanged ? { ...known.binding, database: 'elsewhere' } : { ...known.binding, recoveryPoints: [] }
    const claim = await desk.claim(id, submitted, 'aud_1')
    if (!claim.ok) return
    expect(isChanged).toBe(false)
    this.claims.set(id, (this.claims.get(id) ?? 0) + 1)
    const decided = this.decidedAt.get(id)
    if (decided?.desk !== desk) return
    expect(this.clock.monotonicMs() - decided.monotonicMs).toBeLessThan(VALID_MS)
  }

  /** Compare what is stored with what was stored before. */
  async #inspect(): Promise<void> {
    const records = (await this.#sqlite.query({ partition: 'approval', limit: 1_000 })).records
    expect(records.map((record) => record.key.sort).sort()).toEqual([...this.ids].sort())
    const open = new Map<string, string[]>()
    for (const record of records) {
      const approval = { ...record.body, id: record.key.sort, version: record.version } as unknown as Approval & {
        readonly request: { readonly binding: Approval['binding'] }
      }
      const { binding } = approval.request
      this.#compare({ ...approval, binding })
      if (approval.state !== 'pending') continue
      open.set(binding.principal, [...(open.get(binding.principal) ?? []), binding.statementSha256])
    }
    for (const statements of open.values()) {
      expect(statements.length).toBeLessThanOrEqual(LIMIT)
      expect(new Set(statements).size).toBe(statements.length)
    }
    await this.#inspectBooks(open)
  }

  #compare(approval: Approval): void {
    const before = this.last.get(approval.id)
    if (before !== undefined) {
      expect(LATER[before.state]).toContain(approval.state)
      if (before.decision !== undefined) expect(approval.decision).toEqual(before.decision)
      if (before.state === approval.state) expect(approval).toEqual(before)
    }
    expect(approval.decision === undefined ? 0 : 1).toBe(this.decisions.get(approval.id) ?? 0)
    expect(approval.state === 'consumed' ? 1 : 0).toBe(this.claims.get(approval.id) ?? 0)
    if (approval.state === 'consumed') expect(approval.decision?.outcome).toBe('approved')
    this.last.set(approval.id, approval)
  }

  /** The books list exactly what is pending. */
  async #inspectBooks(open: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const books = (await this.#sqlite.query({ partition: 'approval-open' })).records
    for (const principal of PRINCIPALS) {
      const book = books.find((record) => record.key.sort === sha256Hex(principal))
      const entries = Object.values(book?.body ?? {}) as { readonly pending?: string }[]
      expect(entries.filter((entry) => entry.pending !== undefined)).toHaveLength(open.get(principal)?.length ?? 0)
    }
  }

  close(): Promise<void> {
    return this.#sqlite.close()
  }
}

function statementOf(index: number) {
  return { statementSha256: sha256Hex(`statement ${index % STATEMENTS}`), agentId: bindingOf().agentId }
}

test('at most one decision and one use, no illegal step, no revival, whatever happens in whatever order', async () => {
  const seen = { decisions: 0, claims: 0, expired: 0, errors: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 12 }), async (rounds) => {
      const world = new World()
      world.open()
      try {
        for (const entry of rounds) await world.play(entry)
      } finally {
        await world.close()
      }
      seen.decisions += world.decisions.size
      seen.claims += world.claims.size
      seen.errors += world.errors
      seen.expired += [...world.last.values()].filter((approval) => approval.state === 'expired').length
    }),
    { numRuns: 400 },
  )
  expect(seen.decisions).toBeGreaterThan(50)
  expect(seen.claims).toBeGreaterThan(15)
  expect(seen.expired).toBeGreaterThan(50)
  expect(seen.errors).toBeGreaterThan(20)
})
