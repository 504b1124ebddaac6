import { describe, expect, it } from 'vitest'
import { settleConflict } from '#lib/adapters/aws/record-store/settle.ts'

const record = { key: { partition: 'p', sort: 's' }, body: {} }
const create = { kind: 'create', record } as const
const replace = { kind: 'replace', record, expectedVersion: 4 } as const
const item = (version: number, nonce: string, born: string) => ({
  version: { N: String(version) },
  nonce: { S: nonce },
  born: { S: born },
})

describe('a condition that failed after an answer was lost', () => {
  it.each([
    ['a create that finds its own record', create, item(1, 'mine', 'mine'), 'applied'],
    ['a create that finds its own record, replaced since', create, item(9, 'theirs', 'mine'), 'applied'],
    ["a create that finds another's record", create, item(1, 'theirs', 'theirs'), 'conflict'],
    ['a create that finds nothing any more', create, undefined, 'unknown'],
    ['a replacement that finds its own version', replace, item(5, 'mine', 'x'), 'applied'],
    ["a replacement that finds another's version in its place", replace, item(5, 'theirs', 'x'), 'conflict'],
    ['a replacement whose version has come and gone', replace, item(6, 'theirs', 'x'), 'unknown'],
    ['a replacement of a record that was made anew', replace, item(1, 'theirs', 'theirs'), 'unknown'],
    ['a replacement that finds nothing any more', replace, undefined, 'unknown'],
  ] as const)('%s', (_, write, current, expected) => {
    expect(settleConflict(write, 'mine', current)).toBe(expected)
  })
})
