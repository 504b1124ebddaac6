import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditEvent, OpenAuditLedger } from '#lib/gate/audit/index.ts'
import { exportLedger } from '#lib/gate/audit/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import type { LedgerBench } from '#test/support/audit/ledger-bench.ts'
import { openLedgerBench, statement } from '#test/support/audit/ledger-bench.ts'

let bench: LedgerBench
let ledger: OpenAuditLedger
beforeEach(async () => {
  bench = await openLedgerBench()
  ledger = bench.open()
})
afterEach(() => bench.close())

const queries = (events: readonly AuditEvent[]) => events.map((event) => event.intent.query)
const everything = async (filter: Parameters<OpenAuditLedger['list']>[0] = {}) => {
  const events: AuditEvent[] = []
  let cursor: string | undefined
  do {
    const page = await ledger.list({ ...filter, ...(cursor !== undefined && { cursor }) })
    events.push(...page.events)
    cursor = page.cursor
  } while (cursor !== undefined)
  return events
}

describe('appending', () => {
  it('shows an intent at once and its result once there is one', async () => {
    const id = await ledger.begin(statement('SELECT 1'))
    expect((await ledger.list()).events).toEqual([
      { id, at: '2027-01-15T08:00:00.000Z', environment: 'test', intent: statement('SELECT 1') },
    ])
    bench.clock.advance(1_500)
    await ledger.finish(id, { outcome: 'executed', rowCount: 1 })
    expect((await ledger.list()).events).toMatchObject([
      { id, result: { outcome: 'executed', rowCount: 1 }, finishedAt: '2027-01-15T08:00:01.500Z' },
    ])
  })

  it('keeps an event without an effect in one write', async () => {
    const id = await ledger.record({ action: 'paused', principal: 'operator' }, { outcome: 'recorded' })
    expect((await ledger.list()).events).toMatchObject([{ id, result: { outcome: 'recorded' } }])
    expect(await ledger.countOpen()).toBe(0)
  })

  it('keeps no secret of a statement', async () => {
    await ledger.begin(statement("ALTER ROLE app PASSWORD 'hunter2'"))
    expect(queries((await ledger.list()).events)).toEqual(["ALTER ROLE app PASSWORD '[REDACTED]'"])
  })

  it('takes the same result twice, and no other', async () => {
    const id = await ledger.begin(statement('SELECT 1'))
    await ledger.finish(id, { outcome: 'executed', rowCount: 1 })
    await ledger.finish(id, { outcome: 'executed', rowCount: 1 })
    await expect(ledger.finish(id, { outcome: 'failed' })).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    expect((await ledger.list()).events[0]?.result?.outcome).toBe('executed')
  })

  it('refuses a result for an event that was never begun', async () => {
    await expect(ledger.finish('aud_00000000000000000000000000000000', { outcome: 'executed' })).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
    })
    expect((await bench.verify()).checked.unsealed).toBe(0)
  })

  it('says that the ledger is unavailable when the store is, or when an entry is too large', async () => {
    const dead = bench.open({ killAt: 1, when: 'before' })
    await expect(dead.begin(statement('SELECT 1'))).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      details: { because: 'METADATA_UNREACHABLE' },
    })
    const large = { ...statement('SELECT 1'), facts: { large: 'x'.repeat(400_000) } }
    await expect(ledger.begin(large)).rejects.toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      details: { because: 'RECORD_TOO_LARGE' },
    })
    expect(await ledger.countOpen()).toBe(0)
  })
})

describe('reconciling', () => {
  it('gives an old open event the outcome unknown, and leaves a young one', async () => {
    const old = await ledger.begin(statement('SELECT old'))
    bench.clock.advance(60_000)
    await ledger.begin(statement('SELECT young'))
    expect(await ledger.countOpen()).toBe(2)
    expect(await bench.open().reconcile(60_000)).toBe(1)
    expect(await ledger.countOpen()).toBe(1)
    const events = await everything()
    expect(events.find((event) => event.id === old)?.result).toEqual({
      outcome: 'unknown',
      facts: { reconciled: true },
    })
  })

  it('finds what is open in any shard, also where a version with fewer shards put it', async () => {
    const ids = []
    for (let n = 0; n < 40; n++) ids.push(await ledger.begin(statement(`SELECT ${n}`)))
    for (const id of ids) {
      const shard = id.slice(-1)
      const earlier = String(Number.parseInt(shard, 16) % 4)
      if (shard === earlier) continue
      const key = { partition: `audit-open#${shard}`, sort: id }
      const record = await bench.records.find(key)
      expect(record).toBeDefined()
      await bench.records.write({ kind: 'delete', key, expectedVersion: 1 })
      const moved = { key: { ...key, partition: `audit-open#${earlier}` }, body: record?.body ?? {} }
      await bench.records.write({ kind: 'create', record: moved })
    }
    expect(await ledger.countOpen()).toBe(40)
    expect(await ledger.reconcile(0)).toBe(40)
    expect(await ledger.countOpen()).toBe(0)
  })

  it('keeps what is reported afterwards beside the conclusion, and shows the report', async () => {
    const id = await ledger.begin(statement('SELECT 1'))
    await ledger.reconcile(0)
    await ledger.finish(id, { outcome: 'executed' })
    await ledger.finish(id, { outcome: 'executed' })
    await ledger.sealDue()
    expect((await everything())[0]?.result).toEqual({ outcome: 'executed' })
    expect(await bench.verify()).toMatchObject({ ok: true, checked: { entries: 3, open: 0 } })
  })
})

describe('listing', () => {
  it('shows the newest first, over days, pages and shards', async () => {
    for (let n = 0; n < 40; n++) {
      await ledger.record(statement(`SELECT ${n}`), { outcome: 'executed' })
      bench.clock.advance(n % 10 === 9 ? 86_400_000 : 7)
    }
    const expected = Array.from({ length: 40 }, (_, n) => `SELECT ${39 - n}`)
    expect(queries(await everything())).toEqual(expected)
    expect(queries(await everything({ limit: 7 }))).toEqual(expected)
    await ledger.sealDue()
    expect(queries(await everything({ limit: 11 }))).toEqual(expected)
  })

  it('filters by agent, risk, principal and time, and binds the cursor to the filter', async () => {
    for (let n = 0; n < 12; n++) {
      const intent = {
        ...statement(`SELECT ${n}`, n % 2 ? 'odd' : 'even'),
        riskLevel: n % 3 ? 'LOW' : 'CRITICAL',
      } as const
      await ledger.record({ ...intent, principal: n < 6 ? 'p1' : 'p2' }, { outcome: 'held' })
      bench.clock.advance(1_000)
    }
    expect(queries(await everything({ agentId: 'odd', limit: 2 }))).toEqual(
      [11, 9, 7, 5, 3, 1].map((n) => `SELECT ${n}`),
    )
    expect(queries(await everything({ risk: 'CRITICAL' }))).toEqual([9, 6, 3, 0].map((n) => `SELECT ${n}`))
    expect(queries(await everything({ principal: 'p1', agentId: 'even' }))).toEqual([4, 2, 0].map((n) => `SELECT ${n}`))
    const from = '2027-01-15T08:00:03.000Z' as Instant
    const to = '2027-01-15T08:00:05.000Z' as Instant
    expect(queries(await everything({ from, to, limit: 1 }))).toEqual([5, 4, 3].map((n) => `SELECT ${n}`))
    const { cursor } = await ledger.list({ agentId: 'odd', limit: 1 })
    await expect(ledger.list({ agentId: 'even', cursor: cursor as string })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    })
  })
})

describe('sealing', () => {
  it('seals everything into segments that name their predecessor, and anchors the head', async () => {
    const id = await ledger.begin(statement('SELECT 1'))
    expect(await ledger.sealDue()).toEqual({ segments: [1], entryCount: 1 })
    await ledger.finish(id, { outcome: 'executed' })
    expect(await ledger.sealDue()).toEqual({ segments: [2], entryCount: 1 })
    expect(await ledger.sealDue()).toEqual({ segments: [], entryCount: 0 })
    expect(bench.anchored.map((head) => [head.number, head.entryCount])).toEqual([
      [1, 1],
      [2, 2],
    ])
    const report = await bench.verify(bench.anchored)
    expect(report).toMatchObject({ ok: true, problems: [], skipped: [] })
    expect(report.checked).toEqual({ segments: 2, entries: 2, copies: 2, unsealed: 0, open: 0, anchors: 2 })
  })

  it('splits what is too much for one segment', async () => {
    await bench.close()
    bench = await openLedgerBench(10)
    ledger = bench.open()
    await Promise.all(
      Array.from({ length: 35 }, (_, n) => ledger.record(statement(`SELECT ${n}`), { outcome: 'executed' })),
    )
    const { segments, entryCount } = await ledger.sealDue()
    expect(segments.length).toBeGreaterThanOrEqual(4)
    expect(entryCount).toBe(35)
    expect(await bench.verify()).toMatchObject({ ok: true, checked: { entries: 35 } })
  })

  it('has one winner among sealers that run at once, and no entry twice', async () => {
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 60 }, (_, n) => ledger.record(statement(`SELECT ${n}`), { outcome: 'executed' })),
      )
      const reports = await Promise.all([bench.open().sealDue(), bench.open().sealDue(), bench.open().sealDue()])
      expect(reports.flatMap((report) => report.segments)).toContain(round + 1)
    }
    expect(await bench.verify()).toMatchObject({ ok: true, checked: { segments: 5, entries: 300, unsealed: 0 } })
  })

  it('tries the anchor again after it failed', async () => {
    await ledger.record(statement('SELECT 1'), { outcome: 'executed' })
    bench.network.isDown = true
    expect(await ledger.sealDue()).toEqual({ segments: [1], entryCount: 1, anchorFailure: 'NOTIFICATION_FAILED' })
    bench.network.isDown = false
    expect(await ledger.sealDue()).toEqual({ segments: [], entryCount: 0 })
    expect(bench.anchored).toMatchObject([{ number: 1 }])
  })

  it('refuses to complete a segment that was planted', async () => {
    await ledger.record(statement('SELECT 1'), { outcome: 'executed' })
    await ledger.sealDue()
    const other = await openLedgerBench()
    await other.open().record(statement('SELECT planted'), { outcome: 'executed' })
    await other.open().sealDue()
    const planted = await other.objects.read('audit/segments/000000000001.jsonl')
    await other.close()
    await bench.objects.put('audit/segments/000000000002.jsonl', planted)
    await ledger.record(statement('SELECT 2'), { outcome: 'executed' })
    await expect(ledger.sealDue()).rejects.toMatchObject({ code: 'AUDIT_BROKEN' })
  })

  it('lets the store drop its copies after the retention, and says that it did not compare them', async () => {
    await ledger.record(statement('SELECT 1'), { outcome: 'executed' })
    await ledger.sealDue()
    bench.clock.advance(91 * 86_400_000)
    expect((await ledger.list()).events).toEqual([])
    const report = await bench.verify()
    expect(report).toMatchObject({ ok: true, checked: { entries: 1, copies: 0 } })
    expect(report.skipped).toHaveLength(1)
  })
})

describe('exporting', () => {
  const lines = async (format: 'jsonl' | 'csv') => {
    const found: string[] = []
    for await (const line of exportLedger(bench, { format })) found.push(line)
    return found
  }

  it('writes sealed entries with their segment and then what waits', async () => {
    const id = await ledger.begin(statement('SELECT 1'))
    await ledger.sealDue()
    await ledger.finish(id, { outcome: 'executed' })
    const exported = (await lines('jsonl')).map((line) => JSON.parse(line))
    expect(exported).toMatchObject([
      { entry: { kind: 'intent', id }, segment: { number: 1, sha256: bench.anchored[0]?.sha256 } },
      { entry: { kind: 'result', id }, segment: null },
    ])
  })

  it('writes CSV that no spreadsheet takes for formulas', async () => {
    await ledger.record({ ...statement('=1+1'), agentId: '@a "b",\nc' }, { outcome: 'executed', rowCount: -1 })
    const [header, line] = await lines('csv')
    expect(header).toMatch(/^segment,segment_sha256,kind,id,at,/)
    expect(line).toContain(`"'=1+1"`)
    expect(line).toContain(`"'@a ""b"",\nc"`)
    expect(line).toContain(',-1,')
  })
})
