import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FUNCTIONS } from '#lib/stacks/index.ts'

const folder = join(import.meta.dirname, '..', '..', 'functions')

function handlersIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(/[\\/]/))
    .filter(([, , file]) => file === 'handler.ts')
    .map(([part, verb]) => `${part}.${verb}`)
    .sort()
}

test('every handler has a row in the function table, and every row a handler', () => {
  const handlers = handlersIn(folder)
  expect(handlers.length).toBeGreaterThanOrEqual(14)
  expect(handlers).toEqual(FUNCTIONS.map(({ name }) => name).sort())
})
