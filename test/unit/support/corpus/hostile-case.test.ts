import { describe, expect, it } from 'vitest'
import { parseCaseFile } from '#test/support/corpus/case-file.ts'
import { fillPlaceholders, readHostileCase } from '#test/support/corpus/hostile-case.ts'

const read = (fields: string, section = '## rights\n') =>
  readHostileCase(
    parseCaseFile('x.md', `${section}### a\nb\n\n    SELECT 1\n\n- ${fields}\n`)[0] ?? expect.unreachable(),
  )

describe('an attack', () => {
  it('names its class, the stage that stops it, its hole, and what must not leak', () => {
    expect(read('stopped-by: catalog, hole: 2, leak: not for agents, as: ordinary')).toMatchObject({
      attackClass: 'rights',
      requests: ['SELECT 1'],
      stoppedBy: 'catalog',
      hole: 2,
      leak: 'not for agents',
      roles: 'ordinary',
    })
  })

  it.each([
    ['stopped-by: hope', 'stopped-by is one of'],
    ['hole: 3', 'stopped-by is one of'],
    ['stopped-by: text, level: HIGH', 'unknown key "level"'],
    ['stopped-by: text, as: superuser', 'as is "ordinary"'],
  ])('is refused with %s', (fields, message) => {
    expect(() => read(fields)).toThrow(message)
  })

  it('is refused outside of a class', () => {
    expect(() => read('stopped-by: text', '')).toThrow('outside of a class')
  })

  it('has its placeholders filled, and nothing else', () => {
    const world = { connection: 'c', port: '1', database: 'd', role: 'r', password: 'p', witness: '7' }
    expect(fillPlaceholders("SELECT f('{{connection}}', {{witness}}), '{{other}}'", world)).toBe(
      "SELECT f('c', 7), '{{other}}'",
    )
  })
})
