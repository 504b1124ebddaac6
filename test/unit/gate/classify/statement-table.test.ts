import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { emptyFacts } from '#lib/gate/classify/facts.ts'
import { loadClassifier } from '#lib/gate/classify/index.ts'
import { emptyScope } from '#lib/gate/classify/scope.ts'
import { renderStatementPage } from '#lib/gate/classify/statement-page.ts'
import { SUBCOMMAND_RULES } from '#lib/gate/classify/statements/alter-table.ts'
import { STATEMENTS, visitRoot } from '#lib/gate/classify/statements/index.ts'
import { ANALYSIS_KINDS } from '#lib/gate/classify/tree/analysis-kinds.ts'
import { GRAMMAR } from '#lib/gate/classify/tree/grammar.ts'
import { FIELDS } from '#lib/gate/classify/tree/node.ts'
import { declaredKinds, grammarText } from '#test/support/classify/grammar-text.ts'

beforeAll(loadClassifier)

/** Statement-shaped wrappers that are no statement a client sends. */
const NO_STATEMENT = new Set(['RawStmt', 'SetOperationStmt', 'ReplicaIdentityStmt'])

function codesFor(tree: object): string[] {
  const facts = emptyFacts()
  visitRoot(tree as never, { facts, scope: emptyScope(), fate: 'executed', source: '', bodyDepth: 0 })
  return facts.findings.map(({ code, level }) => `${code} ${level}`)
}

function enumMembers(name: string): string[] {
  const requireFromParser = createRequire(createRequire(import.meta.url).resolve('libpg-query'))
  const text = readFileSync(join(dirname(requireFromParser.resolve('@pgsql/types')), 'enums.d.ts'), 'utf8')
  const members = text.match(new RegExp(`export type ${name} = ([^;]+);`))?.[1] ?? ''
  return [...members.matchAll(/"(\w+)"/g)].map((match) => match[1] as string)
}

describe('the tables against the parser', () => {
  const kinds = declaredKinds()

  it('decide every statement node that the parser declares', () => {
    const declared = [...kinds.keys()].filter((kind) => kind.endsWith('Stmt') && !NO_STATEMENT.has(kind))
    expect(declared.length).toBeGreaterThanOrEqual(110)
    expect([...STATEMENTS.keys()].toSorted()).toEqual(declared.toSorted())
  })

  it('know every other node kind, as walked or as never parsed', () => {
    expect(kinds.size).toBeGreaterThanOrEqual(260)
    const known = new Set([...FIELDS.keys(), ...ANALYSIS_KINDS])
    expect([...kinds.keys()].filter((kind) => !known.has(kind))).toEqual([])
    expect([...FIELDS.keys()].filter((kind) => ANALYSIS_KINDS.has(kind))).toEqual([])
  })

  it('list every field of every walked kind as the parser declares it', () => {
    const written = grammarText(kinds, ANALYSIS_KINDS)
    const entries = [...written.matchAll(/^ {2}(\w+): '([^']*)',$/gm)].map((match) => [match[1], match[2]])
    expect(entries.length).toBeGreaterThanOrEqual(200)
    expect(Object.entries(GRAMMAR)).toEqual(entries)
  })

  it('decide every subcommand of ALTER TABLE', () => {
    const subcommands = enumMembers('AlterTableType')
    expect(subcommands.length).toBeGreaterThanOrEqual(60)
    expect(Object.keys(SUBCOMMAND_RULES).toSorted()).toEqual(subcommands.toSorted())
  })

  it('would notice a kind and a field that they do not know', () => {
    const planted = new Map([...kinds, ['FutureStmt', new Map([['relation', 'RangeVar']])]])
    expect(grammarText(planted, ANALYSIS_KINDS)).not.toBe(grammarText(kinds, ANALYSIS_KINDS))
    expect([...planted.keys()].filter((kind) => !FIELDS.has(kind) && !ANALYSIS_KINDS.has(kind))).toEqual(['FutureStmt'])
  })
})

describe('a node that is not understood', () => {
  it('is CRITICAL as a statement, as an expression and as a field', () => {
    expect(codesFor({ FutureStmt: {} })).toContain('unknown-node CRITICAL')
    expect(codesFor({ SelectStmt: { targetList: [{ FutureExpr: {} }] } })).toContain('unknown-node CRITICAL')
    expect(codesFor({ SelectStmt: { futureClause: {} } })).toContain('unknown-node CRITICAL')
  })

  it('is CRITICAL when only analysis makes it, and when it is only planned', () => {
    expect(codesFor({ SelectStmt: { whereClause: { OpExpr: {} } } })).toContain('unknown-node CRITICAL')
    expect(codesFor({ ExplainStmt: { query: { SelectStmt: { whereClause: { OpExpr: {} } } } } })).toContain(
      'unknown-node CRITICAL',
    )
  })

  it('is CRITICAL as a subcommand and as a kind of object', () => {
    expect(
      codesFor({
        AlterTableStmt: { relation: {}, objtype: 'OBJECT_TABLE', cmds: [{ AlterTableCmd: { subtype: 'AT_Future' } }] },
      }),
    ).toContain('alter-table CRITICAL')
    expect(codesFor({ DropStmt: { removeType: 'OBJECT_FUTURE', objects: [] } })).toContain('drop-future CRITICAL')
  })
})

describe('docs/statements.md', () => {
  it('is what the tables say', () => {
    const page = new URL('../../../../docs/statements.md', import.meta.url)
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(page, renderStatementPage())
    expect(readFileSync(page, 'utf8')).toBe(renderStatementPage())
  })
})
