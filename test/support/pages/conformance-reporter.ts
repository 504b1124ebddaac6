/** Prints the conformance table when all tests are over; a line without a test, or with a skipped one, fails the run. */
import process from 'node:process'
import type { Reporter, TestModule } from 'vitest/node'
import { buildTable, type TestOutcome } from './lines/table.ts'

const outcomesOf = (modules: readonly TestModule[]): TestOutcome[] =>
  modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => ({ name: test.name, state: test.result().state })),
  )

function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

export class ConformanceReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const { rows, strangers } = buildTable(outcomesOf(modules))
    const wrong = rows.filter(({ result }) => result !== 'ok')
    const cells = rows.map(({ id, section, line, proof, result }) => [id, result, section, line, proof])
    const ofPages = new Map(rows.map(({ page }) => [page, rows.filter((row) => row.page === page)]))
    console.log(renderTable([['line', 'result', 'section', 'says', 'test'], ...cells]))
    for (const [page, its] of ofPages) {
      console.log(`${page}: ${its.filter(({ result }) => result === 'ok').length} of ${its.length} lines hold`)
    }
    for (const { id, line, result } of wrong) console.log(`not yet: ${id} ${line}: ${result}`)
    for (const name of strangers) console.log(`belongs to no line: ${name}`)
    if (wrong.length > 0 || strangers.length > 0) process.exitCode = 1
  }
}
