/** The outcomes of the tests as one row per line of the pages. */
import { LINES, PAGES } from './pages.ts'

export interface TestOutcome {
  readonly name: string
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending'
}

export interface ConformanceRow {
  readonly page: string
  readonly id: string
  readonly section: string
  readonly line: string
  readonly proof: string
  readonly result: 'ok' | 'FAILED' | 'SKIPPED' | 'NO TEST' | 'TWO TESTS'
}

export interface ConformanceTable {
  readonly rows: readonly ConformanceRow[]
  /** Names of tests that belong to no line. */
  readonly strangers: readonly string[]
}

const RESULTS = { passed: 'ok', failed: 'FAILED', skipped: 'SKIPPED', pending: 'SKIPPED' } as const

function resultOf(outcomes: readonly TestOutcome[]): ConformanceRow['result'] {
  const [only] = outcomes
  if (only === undefined) return 'NO TEST'
  return outcomes.length > 1 ? 'TWO TESTS' : RESULTS[only.state]
}

/** Pure. Every line of the pages is in it, whether anything was run or not. */
export function buildTable(outcomes: readonly TestOutcome[]): ConformanceTable {
  const idOf = (name: string) => name.split(' ', 1)[0] ?? ''
  const rows = Object.entries(PAGES).flatMap(([page, lines]) =>
    Object.entries(lines).map(([id, [section, line]]): ConformanceRow => {
      const mine = outcomes.filter(({ name }) => idOf(name) === id)
      const proof = mine[0]?.name.split(' → ')[1] ?? ''
      return { page, id, section, line, proof, result: resultOf(mine) }
    }),
  )
  return { rows, strangers: outcomes.map(({ name }) => name).filter((name) => !(idOf(name) in LINES)) }
}
