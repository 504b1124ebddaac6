import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readLegitimateStatements, readShopSchema } from '#test/support/corpus/corpus-files.ts'
import { type NamedStatement, parseStatementFile } from '#test/support/corpus/statement-file.ts'
import { openRange, PATIENT_TIMES, type Range } from '#test/support/hostile/range.ts'

const WRITES = 'small-writes.sql'

let range: Range
beforeAll(async () => {
  range = await openRange({
    role: 'ordinary',
    seedSql: readShopSchema(),
    environment: PATIENT_TIMES,
  })
})
afterAll(() => range.stop())

/** Each statement that was not executed, with what the agent was told. */
async function listRefusals(statements: readonly NamedStatement[]): Promise<string[]> {
  const refusals: string[] = []
  for (const { name, sql, parameters } of statements) {
    const { body } = await range.attack(sql, parameters.length === 0 ? {} : { parameters: [...parameters] })
    if (body?.result?.status === 'executed') continue
    const result = body?.result
    refusals.push(
      `${name}: ${JSON.stringify(result?.error ?? result?.safety_metadata?.findings ?? body)}`.slice(0, 400),
    )
  }
  return refusals
}

function rateOf(refusals: readonly string[], count: number): string {
  return `${refusals.length} of ${count} (${((refusals.length * 100) / count).toFixed(2)} %)`
}

describe('false refusals', () => {
  it('are none among legitimate reads', async () => {
    const statements = readLegitimateStatements()
    const refusals = await listRefusals(statements)
    console.log(`false refusals of reads: ${rateOf(refusals, statements.length)}`)
    expect(statements.length).toBeGreaterThanOrEqual(300)
    expect(refusals).toEqual([])
  })

  it('are none among small writes', async () => {
    const statements = parseStatementFile(WRITES, readFileSync(join(import.meta.dirname, 'cases', WRITES), 'utf8'))
    const refusals = await listRefusals(statements)
    console.log(`false refusals of small writes: ${rateOf(refusals, statements.length)}`)
    expect(statements.length).toBeGreaterThanOrEqual(40)
    expect(refusals).toEqual([])
  })
})
