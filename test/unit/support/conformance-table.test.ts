import { describe, expect, it } from 'vitest'
import { buildTable, LINES, type TestOutcome } from '#test/support/pages/lines/index.ts'

const ALL: readonly TestOutcome[] = Object.entries(LINES).map(([id, [, line]]) => ({
  name: `${id} ${line} → it holds`,
  state: 'passed',
}))

const resultsOf = (outcomes: readonly TestOutcome[]) =>
  buildTable(outcomes)
    .rows.filter(({ result }) => result !== 'ok')
    .map(({ id, result }) => `${id} ${result}`)

describe('the table of the pages', () => {
  it('has a row for each line, and all are well when each has one test that passed', () => {
    expect(Object.keys(LINES).length).toBeGreaterThanOrEqual(115)
    expect(resultsOf(ALL)).toEqual([])
    expect(buildTable(ALL).strangers).toEqual([])
  })

  it('finds a line without a test, with two, with a skipped and with a failed one, and a test of no line', () => {
    const [first, second, third, ...rest] = ALL as [TestOutcome, TestOutcome, TestOutcome, ...TestOutcome[]]
    expect(resultsOf([second, third, ...rest])).toEqual(['T01 NO TEST'])
    expect(resultsOf([...ALL, first])).toEqual(['T01 TWO TESTS'])
    expect(resultsOf([{ ...first, state: 'skipped' }, { ...second, state: 'failed' }, third, ...rest])).toEqual([
      'T01 SKIPPED',
      'T02 FAILED',
    ])
    expect(buildTable([...ALL, { name: 'something else', state: 'passed' }]).strangers).toEqual(['something else'])
  })
})
