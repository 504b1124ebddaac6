import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parsePolicy } from '#lib/gate/policy/index.ts'
import { coversOperation } from '#lib/gate/policy/operation.ts'

const CORPUS = new URL('../../../corpus/classify/', import.meta.url)

/** Every operation that a case of the classification corpus expects. */
function corpusOperations(): readonly string[] {
  const texts = readdirSync(CORPUS).map((file) => readFileSync(new URL(file, CORPUS), 'utf8'))
  return [
    ...new Set(
      texts.flatMap((text) => [...text.matchAll(/operation: ([A-Z ]+)/g)].map(([, label]) => label?.trim() ?? '')),
    ),
  ]
}

test('a policy can name every operation that the classification knows', () => {
  const operations = corpusOperations()
  expect(operations.length).toBeGreaterThanOrEqual(40)
  const parsed = parsePolicy(JSON.stringify({ block_operations: operations }))
  expect(parsed).toMatchObject({ ok: true, policy: { block_operations: operations.toSorted() } })
  for (const operation of operations) expect(coversOperation(operation, operation)).toBe(true)
})
