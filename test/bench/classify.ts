/** How many statements of the corpora are classified in a second on one core. */
import { classify, loadClassifier } from '#lib/gate/index.ts'
import { readClassifyCases, readLegitimateStatements } from '#test/support/corpus/corpus-files.ts'
import { type BenchReport, quantile } from './report.ts'

/** Cases about length and depth are about limits and have a figure of their own. */
const LARGEST_BYTES = 2_000
const SECONDS = 5

function ordinaryStatements(): readonly string[] {
  const cases = [...readClassifyCases().values()].flat().flatMap((one) => one.statements)
  const legitimate = readLegitimateStatements().map((one) => one.sql)
  return [...cases, ...legitimate].filter((sql) => sql.length <= LARGEST_BYTES)
}

/** A 256 KiB INSERT, the longest that is read at all. */
function longStatement(): string {
  const row = "(1, 'some text of a usual length', 12.50, now())"
  return `INSERT INTO t VALUES ${Array.from({ length: 5_000 }, () => row).join(', ')}`
}

export async function benchClassify(): Promise<BenchReport> {
  await loadClassifier()
  const statements = ordinaryStatements()
  for (const sql of statements) classify(sql)
  const taken: number[] = []
  const startedMs = performance.now()
  while (performance.now() - startedMs < SECONDS * 1_000) {
    for (const sql of statements) {
      const oneMs = performance.now()
      classify(sql)
      taken.push((performance.now() - oneMs) * 1_000)
    }
  }
  const perSecond = taken.length / ((performance.now() - startedMs) / 1_000)
  const long = longStatement()
  const longMs = performance.now()
  classify(long)
  return {
    name: `classification of ${statements.length} corpus statements, one core`,
    figures: [
      { what: 'statements', value: perSecond, unit: 'a second' },
      { what: 'p50', value: quantile(taken, 0.5), unit: 'µs' },
      { what: 'p99', value: quantile(taken, 0.99), unit: 'µs' },
      { what: `an INSERT of ${Math.round(long.length / 1_024)} KiB`, value: performance.now() - longMs, unit: 'ms' },
    ],
    skipped: [],
  }
}
