import { describe, expect, it } from 'vitest'
import type { Classification, Target } from '#lib/gate/classify/index.ts'
import type { Sha256Hex } from '#lib/kernel/index.ts'
import { parseCaseFile } from '#test/support/corpus/case-file.ts'
import { checkExpectation, differences } from '#test/support/corpus/expectation.ts'

const TARGET: Target = {
  object: { schema: 'public', name: 'Order Lines' },
  objectKind: 'table',
  access: 'delete',
  scope: 'all',
  isDestructive: true,
  isCascade: false,
  isOnly: false,
}
const DELETED: Classification = {
  ok: true,
  kind: 'DeleteStmt',
  operation: 'DELETE',
  operations: ['DELETE'],
  level: 'CRITICAL',
  findings: [{ code: 'unscoped-write', level: 'CRITICAL', message: 'every row' }],
  targets: [TARGET],
  functions: [{ schema: 'pg_catalog', name: 'now', argumentCount: 0, form: 'call' }],
  unresolvedFunctions: [],
  qualifiedOperators: [{ schema: 'public', name: '+' }],
  types: [{ name: 'order_status' }],
  columns: [{ relation: { name: 'orders' }, name: '*', access: 'read' }],
  attributes: [],
  transaction: 'write',
  recoverability: 'tables',
  returnsRows: false,
  fingerprint: 'f',
  textSha256: '0' as Sha256Hex,
}
const REFUSED: Classification = {
  ok: false,
  code: 'PARSE_FAILURE',
  level: 'CRITICAL',
  message: 'no',
  textSha256: '0' as Sha256Hex,
}

const field = (line: string) => {
  const [key = '', value = ''] = line.split(/: (.*)/)
  return [{ key, value }]
}
const written = (fields: string) => parseCaseFile('x.md', `### a\nb\n\n    SELECT 1\n\n- ${fields}\n`)[0]

describe('comparing a classification with what is expected', () => {
  it.each([
    'level: CRITICAL',
    'level: HIGH+',
    'level: SAFE|CRITICAL',
    'operation: DELETE',
    'part: DELETE',
    'transaction: write|never',
    'recoverability: tables',
    'target: delete public."Order Lines" all destructive',
    'target: drop|delete public."Order Lines"',
    'absent: orders',
    'function: pg_catalog.now',
    'operator: public.+',
    'type: order_status',
    'column: read orders.*',
    'finding: unscoped-write',
  ])('accepts %s', (line) => {
    expect(differences(DELETED, field(line))).toEqual([])
  })

  it.each([
    'level: HIGH',
    'level: SAFE|refused',
    'refused: EMPTY',
    'operation: UPDATE',
    'part: UPDATE',
    'transaction: read',
    'recoverability: impossible',
    'target: delete "Order Lines"',
    'target: delete public."Order Lines" filtered',
    'target: delete public."Order Lines" cascade',
    'target: none',
    'absent: public."Order Lines"',
    'function: now',
    'operator: +',
    'type: x',
    'column: write orders.*',
    'finding: y',
  ])('reports %s, which does not hold', (line) => {
    expect(differences(DELETED, field(line))).toHaveLength(1)
  })

  it('tells a refusal from a level', () => {
    expect(differences(REFUSED, field('refused: EMPTY|PARSE_FAILURE'))).toEqual([])
    expect(differences(REFUSED, field('level: SAFE|refused'))).toEqual([])
    expect(differences(REFUSED, field('level: CRITICAL'))).toHaveLength(1)
    expect(differences(REFUSED, field('target: none'))).toHaveLength(1)
    expect(differences(REFUSED, field('refused: EMPTY'))).toHaveLength(1)
  })

  it('refuses keys and levels that do not exist', () => {
    const check = (fields: string) => () => checkExpectation(written(fields) ?? expect.unreachable())
    expect(check('level: LOW+, target: none')).not.toThrow()
    expect(check('levels: LOW')).toThrow('x.md:1: unknown key "levels"')
    expect(check('level: MEDIUM')).toThrow('unknown level')
  })
})
