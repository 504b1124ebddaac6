import { describe, expect, test } from 'vitest'
import type { AskDatabase, Claim } from '#lib/cli/demo/claim.ts'
import { answerClaim, checkClaim, databaseClaim } from '#lib/cli/demo/claim.ts'
import type { DemoStep, DemoWorld } from '#lib/cli/demo/model.ts'
import { runSteps } from '#lib/cli/demo/run.ts'
import { stepBlocks, totalsBlocks, totalsOf } from '#lib/cli/demo/show.ts'
import { renderBlocks } from '#lib/cli/terminal/index.ts'

/** A database in which every count is 41. */
const ask: AskDatabase = async (sql) => {
  if (sql.includes('missing')) throw new Error('relation "missing" does not exist')
  return 41
}

async function demonstrate(claims: readonly Claim[]) {
  const step: DemoStep = {
    id: 's',
    title: 'A step',
    actor: 'agent',
    run: async () => ({ input: 'i', answer: 'a', claims }),
  }
  const world = { ask, signal: new AbortController().signal } as unknown as DemoWorld
  const steps = await runSteps([step], world, async () => {})
  const totals = totalsOf(steps, 0)
  const blocks = [...steps.flatMap((checked, index) => stepBlocks(checked, index)), ...totalsBlocks(totals)]
  return { totals, text: renderBlocks(blocks, { isTerminal: false, isColoured: false }) }
}

const TRUE_CLAIM = databaseClaim('there are 41 payments', 'SELECT count(*) FROM payments', 41)

describe('the checker of the demonstration', () => {
  test('lets a true claim pass and says how it was checked', async () => {
    const { totals, text } = await demonstrate([TRUE_CLAIM])
    expect(totals).toMatchObject({ ok: true, claim_count: 1, false_count: 0, checked_by_database: 1 })
    expect(text).toContain('✓ there are 41 payments')
  })

  test.each<[string, Claim]>([
    ['a count that the database denies', databaseClaim('there are 42 payments', 'SELECT count(*) FROM payments', 42)],
    ['a number as text', databaseClaim('there are 41 payments', 'SELECT count(*) FROM payments', '41')],
    ['a check that fails', databaseClaim('the table is gone', 'SELECT count(*) FROM missing', 0)],
    ['a claim that expects nothing', databaseClaim('all is well', 'SELECT count(*) FROM payments', undefined)],
    ['an answer that was another', answerClaim('it was held', 'executed', 'approval_required')],
    ['a lie without words', answerClaim('', 1, 2)],
  ])('finds a planted lie: %s', async (_, lie) => {
    const { totals, text } = await demonstrate([TRUE_CLAIM, lie])
    expect(totals).toMatchObject({ ok: false, false_count: 1 })
    expect(text).toContain('✗ FALSE')
    expect(text).toContain('1 of 2 checks are FALSE')
  })

  test('a step that claims nothing is false', async () => {
    expect((await demonstrate([])).totals.ok).toBe(false)
  })

  test('no steps at all is no success', () => {
    expect(totalsOf([], 0).ok).toBe(false)
  })

  test('compares structures by value', async () => {
    expect(await checkClaim(answerClaim('same', [{ a: 1 }], [{ a: 1 }]), ask)).toMatchObject({ ok: true })
  })

  test('a step that breaks is a false claim with its reason', async () => {
    const broken: DemoStep = { id: 'b', title: 'B', actor: 'agent', run: () => Promise.reject(new Error('no answer')) }
    const world = { ask, signal: new AbortController().signal } as unknown as DemoWorld
    const [step] = await runSteps([broken], world, async () => {})
    expect(step).toMatchObject({ ok: false, claims: [{ says: 'the step can be run', actual: 'no answer' }] })
  })
})
