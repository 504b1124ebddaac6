import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditResult, OpenAuditLedger } from '#lib/gate/audit/index.ts'
import { exportLedger } from '#lib/gate/audit/index.ts'
import type { AuditId } from '#lib/kernel/index.ts'
import type { LedgerBench } from '#test/support/audit/ledger-bench.ts'
import { openLedgerBench, statement } from '#test/support/audit/ledger-bench.ts'

type Step =
  | { readonly do: 'begin' | 'record' | 'seal' | 'reconcile'; readonly text: string }
  | { readonly do: 'finish'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }

interface Life {
  readonly steps: readonly Step[]
  readonly kill?: { readonly killAt: number; readonly when: 'before' | 'after' }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('begin' as const, 'record' as const),
      text: fc.string({ unit: 'binary', maxLength: 20 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('seal' as const, 'reconcile' as const), text: fc.constant('') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: -5_000, max: 90_000_000 }) }),
  },
)
const life: fc.Arbitrary<Life> = fc.record(
  {
    steps: fc.array(step, { minLength: 1, maxLength: 14 }),
    kill: fc.record({
      killAt: fc.integer({ min: 1, max: 40 }),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  { requiredKeys: ['steps'] },
)

/** What the callers were told: the least that the ledger has to hold. */
interface Told {
  readonly begun: AuditId[]
  readonly finished: Map<AuditId, AuditResult>
}

async function act(ledger: OpenAuditLedger, bench: LedgerBench, told: Told, step: Step, n: number): Promise<void> {
  const result: AuditResult = { outcome: 'executed', rowCount: n }
  if (step.do === 'wait') bench.clock.advance(step.ms)
  if (step.do === 'seal') await ledger.sealDue()
  else if (step.do === 'reconcile') await ledger.reconcile(1_000)
  else if (step.do === 'begin') told.begun.push(await ledger.begin(statement(step.text)))
  else if (step.do === 'record') told.finished.set(await ledger.record(statement(step.text), result), result)
  else if (step.do === 'finish') {
    const id = told.begun[step.which % Math.max(told.begun.length, 1)]
    if (id === undefined || told.finished.has(id)) return
    await ledger.finish(id, result)
    told.finished.set(id, result)
  }
}

const isExpected = (error: unknown) => (error as { code?: string }).code === 'AUDIT_UNAVAILABLE'

async function live(bench: LedgerBench, told: Told, { steps, kill }: Life, offset: number): Promise<void> {
  const ledger = bench.open(kill)
  for (const [n, step] of steps.entries()) {
    try {
      await act(ledger, bench, told, step, offset + n)
    } catch (error) {
      if (!isExpected(error)) throw error
    }
  }
}

describe('any history of lives that end at any store call', () => {
  it('loses nothing that was confirmed, doubles nothing, and verifies', async () => {
    let runs = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(life, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 2, max: 30 }),
        async (lives, maxEntries) => {
          runs++
          const bench = await openLedgerBench(maxEntries)
          try {
            const told: Told = { begun: [], finished: new Map() }
            for (const [n, one] of lives.entries()) {
              await live(bench, told, one, n * 100)
              expect((await bench.verify()).problems).toEqual([])
            }
            await bench.open().sealDue()
            const report = await bench.verify(bench.anchored)
            expect(report.problems).toEqual([])
            expect(report.checked.unsealed).toBe(0)
            await expectHeld(bench, told, report.checked.entries)
          } finally {
            await bench.close()
          }
        },
      ),
      { numRuns: 150 },
    )
    expect(runs).toBeGreaterThanOrEqual(150)
  })
})

async function expectHeld(bench: LedgerBench, told: Told, entryCount: number): Promise<void> {
  const names = new Set<string>()
  const results = new Map<AuditId, AuditResult[]>()
  let lines = 0
  for await (const line of exportLedger(bench, { format: 'jsonl' })) {
    const { entry } = JSON.parse(line)
    lines++
    names.add(`${entry.id} ${entry.kind === 'event' ? 'intent' : entry.kind}`)
    if (entry.result) results.set(entry.id, [...(results.get(entry.id) ?? []), entry.result])
  }
  expect(names.size).toBe(lines)
  expect(lines).toBe(entryCount)
  for (const id of told.begun) expect(names).toContain(`${id} intent`)
  for (const [id, result] of told.finished) expect(results.get(id)).toContainEqual(result)
}

describe('any edit of a sealed ledger', () => {
  let bench: LedgerBench
  let segments: Buffer[]
  beforeAll(async () => {
    bench = await openLedgerBench(100, 1)
    const ledger = bench.open()
    for (let segment = 0; segment < 3; segment++) {
      await ledger.finish(await ledger.begin(statement(`SELECT 'ü💾'`)), { outcome: 'executed' })
      bench.clock.advance(1)
      await ledger.sealDue()
    }
    // Beyond the retention, so that the segments have to prove themselves without the record store's copies.
    bench.clock.advance(2 * 86_400_000)
    segments = await Promise.all([1, 2, 3].map((number) => readFile(bench.segmentPath(number))))
    expect(await bench.verify()).toMatchObject({ ok: true, checked: { segments: 3, entries: 6, copies: 0 } })
  })
  afterAll(() => bench.close())

  const isAccepted = async (number: number, content: Buffer) => {
    await writeFile(bench.segmentPath(number), content)
    const { ok } = await bench.verify()
    await writeFile(bench.segmentPath(number), segments[number - 1] as Buffer)
    return ok
  }
  const anySegment = fc.constantFrom(1, 2, 3)

  it('is found for every byte of every segment', async () => {
    let edits = 0
    for (const [index, bytes] of segments.entries()) {
      for (let position = 0; position < bytes.length; position++) {
        const edited = Buffer.from(bytes)
        edited[position] = (edited[position] as number) ^ (1 << (position % 8))
        edits++
        if (await isAccepted(index + 1, edited)) expect.fail(`segment ${index + 1}, byte ${position}`)
      }
    }
    expect(edits).toBeGreaterThan(2_000)
  })

  it('is found for any other byte, and for bytes that were taken out or put in', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySegment,
        fc.nat(),
        fc.nat(3),
        fc.uint8Array({ maxLength: 3 }),
        async (number, at, removed, added) => {
          const bytes = segments[number - 1] as Buffer
          const position = at % bytes.length
          const edited = Buffer.concat([bytes.subarray(0, position), added, bytes.subarray(position + removed)])
          fc.pre(!edited.equals(bytes))
          expect(await isAccepted(number, edited)).toBe(false)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('is found for lines that were removed, doubled or put in another order', async () => {
    await fc.assert(
      fc.asyncProperty(anySegment, fc.array(fc.nat(2), { maxLength: 6 }), async (number, order) => {
        const lines = (segments[number - 1] as Buffer).toString().trimEnd().split('\n')
        const edited = order.map((n) => lines[n % lines.length])
        fc.pre(edited.join('\n') !== lines.join('\n'))
        expect(await isAccepted(number, Buffer.from(`${edited.join('\n')}\n`))).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})
