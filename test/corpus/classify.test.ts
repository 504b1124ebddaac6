import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { classify, loadClassifier } from '#lib/gate/classify/index.ts'
import { RISK_LEVELS } from '#lib/kernel/index.ts'
import { readClassifyCases } from '#test/support/corpus/corpus-files.ts'
import { checkExpectation, differences } from '#test/support/corpus/expectation.ts'

const files = readClassifyCases()
const outcomes = new Map<string, Map<string, number>>()

function count(file: string, outcome: string): void {
  const counts = outcomes.get(file) ?? new Map<string, number>()
  outcomes.set(file, counts.set(outcome, (counts.get(outcome) ?? 0) + 1))
}

beforeAll(loadClassifier)

for (const [file, cases] of files) {
  describe(file, () => {
    for (const written of cases) {
      it(`${written.name}: ${written.why}`, () => {
        checkExpectation(written)
        expect(written.statements, 'one statement a case').toHaveLength(1)
        const actual = classify(written.statements[0] ?? '')
        count(file, actual.ok ? actual.level : `refused ${actual.code}`)
        expect(differences(actual, written.fields), written.statements[0]?.slice(0, 200)).toEqual([])
      })
    }
  })
}

describe('the corpus', () => {
  it('holds at least 400 cases, and each of the fourteen known holes', () => {
    const all = [...files.values()].flat()
    expect(all.length).toBeGreaterThanOrEqual(400)
    for (let hole = 1; hole <= 14; hole += 1) {
      const prefix = `hole-${String(hole).padStart(2, '0')} `
      expect(all.filter(({ name }) => name.startsWith(prefix)).length, prefix).toBeGreaterThan(0)
    }
  })

  it('holds at least 30 conditions that every row meets', () => {
    const always = (files.get('04-tautologies.md') ?? []).filter(({ fields }) =>
      fields.some(({ key, value }) => key === 'level' && value === 'CRITICAL'),
    )
    expect(always.length).toBeGreaterThanOrEqual(30)
  })
})

afterAll(() => {
  const cases = [...files.values()].reduce((sum, { length }) => sum + length, 0)
  const rows = [...files].map(([file]) => `  ${file.padEnd(24)} ${summary(outcomes.get(file) ?? new Map())}`)
  console.log(`classification corpus: ${cases} cases in ${files.size} files\n${rows.join('\n')}`)
})

function summary(counts: ReadonlyMap<string, number>): string {
  const refused = [...counts.keys()].filter((key) => key.startsWith('refused')).toSorted()
  return [...RISK_LEVELS, ...refused]
    .flatMap((key) => (counts.has(key) ? [`${key} ${counts.get(key)}`] : []))
    .join(', ')
}
