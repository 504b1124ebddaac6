import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { countStage } from '../support/cost/count.ts'
import { linesOf, usageOf } from '../support/cost/estimate.ts'
import { WORKLOADS } from '../support/cost/model.ts'
import { PRICES, type PriceName } from '../support/cost/prices.ts'
import { groupedNames, renderCost } from '../support/cost/render.ts'
import { EXAMPLES, stacksOf, stageOf } from './support/stages.ts'

const counts = countStage(stacksOf(stageOf(EXAMPLES.prod)))
const usdOf = (name: PriceName, workload: number) =>
  linesOf(usageOf(counts, WORKLOADS[workload] ?? expect.fail())).find((line) => line.name === name)?.usd ??
  expect.fail(name)

test('docs/cost.md is what `npm run cost` writes', async () => {
  const written = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'cost.md'), 'utf8')
  expect(written, 'run "npm run cost" and commit docs/cost.md').toBe(renderCost(counts))
})

test('what is counted is what the template has', () => {
  expect(counts).toMatchObject({ keys: 3, secrets: 2, dashboards: 1, endpointZones: 6, queues: 4 })
  expect(counts.everyMinute).toHaveLength(4)
  expect(counts.daily).toHaveLength(3)
  expect(counts.alarms).toBeGreaterThanOrEqual(45)
})

describe('arithmetic, reckoned by hand', () => {
  test('three keys are 3 dollars', () => expect(usdOf('key', 0)).toBe(3))
  test('six endpoint zones for 730 hours are 43.80 dollars', () =>
    expect(usdOf('endpointHour', 0)).toBeCloseTo(43.8, 6))
  test('a million requests are 1 dollar, a hundred millions 100', () => {
    expect(usdOf('httpRequest', 1)).toBe(1)
    expect(usdOf('httpRequest', 2)).toBe(100)
  })
  test('1,024 GiB in Standard are 23.55 dollars, a little more with the audit of a million statements', () => {
    expect(usdOf('objectGiBMonth', 3)).toBeGreaterThan(23.55)
    expect(usdOf('objectGiBMonth', 3)).toBeLessThan(23.6)
  })
  test('922 GiB in Glacier Instant Retrieval are 3.69 dollars', () =>
    expect(usdOf('coldGiBMonth', 4)).toBeCloseTo(3.688, 6))
})

test('every price is in exactly one line of the table', () => {
  expect([...groupedNames()].sort()).toEqual(Object.keys(PRICES).sort())
})

test('a new kind of schedule does not go uncounted', () => {
  const stage = stageOf(EXAMPLES.prod)
  expect(() => countStage(stacksOf(stage).filter((stack) => stack !== stage.recovery))).toThrow(
    'Teach test/support/cost',
  )
})
