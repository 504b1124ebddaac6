/** The way back after every kind of damage to every shape of table, by executing the planned SQL on a real server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Shape } from '#test/support/copyback/model.ts'
import { type CellResult, runCell } from '#test/support/copyback/run-cell.ts'
import { SHAPES } from '#test/support/copyback/shapes.ts'
import { SITUATIONS } from '#test/support/copyback/situations.ts'
import { createTestDatabase } from '#test/support/postgres.ts'

const ROLES = [`matrix_a_${process.pid}`, `matrix_b_${process.pid}`] as const
const results = new Map<string, CellResult>()
const cellName = (situation: string, shape: string) => `${situation} / ${shape}`

/** What is known to come back otherwise is part of the result. */
function differsIn(shape: Shape, situation: string): string {
  const members = shape.differs?.[situation]
  return members === undefined ? '' : `, but for ${members.join(', ')} of the definition`
}

async function runAsSuperuser(sql: string): Promise<void> {
  const db = await createTestDatabase(sql)
  await db.drop()
}

beforeAll(() => runAsSuperuser(ROLES.map((role) => `CREATE ROLE ${role} NOLOGIN`).join(';')))
afterAll(() => runAsSuperuser(ROLES.map((role) => `DROP ROLE ${role}`).join(';')))

describe.each(SHAPES)('$name', (shape) => {
  test.concurrent.each(SITUATIONS)('$name', async (situation) => {
    results.set(cellName(situation.name, shape.name), await runCell(shape, situation, ROLES))
  })
})

test('every cell was executed or says why it cannot happen', () => {
  const lines: string[] = []
  const counts = { executed: 0, notApplicable: 0 }
  for (const shape of SHAPES) {
    for (const situation of SITUATIONS) {
      const name = cellName(situation.name, shape.name)
      const result = results.get(name)
      expect(result, name).toBeDefined()
      if (result === undefined) continue
      if (result.outcome === 'not applicable') {
        counts.notApplicable += 1
        lines.push(`${name}: not applicable: ${result.why}`)
        continue
      }
      counts.executed += 1
      lines.push(
        `${name}: ${result.outcome}${result.usedAside ? ', unknown rows set aside first' : ''}${differsIn(shape, situation.name)} (${result.statements} statements)`,
      )
    }
  }
  process.stdout.write(`${lines.join('\n')}\n${JSON.stringify(counts)}\n`)
  expect(counts.executed).toBeGreaterThan(250)
  expect(lines).toHaveLength(SHAPES.length * SITUATIONS.length)
})
