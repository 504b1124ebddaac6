/** Read the parser's node kinds and their fields from its type declarations, and write them as `tree/grammar.ts`. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Kind → fields; a field's value is `*` for nodes, a kind for an inlined struct, `` for anything without children. */
export type DeclaredKinds = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Wire envelopes of the parser's own service calls: they are no part of a statement's tree. */
export const ENVELOPES = [
  'ParseResult',
  'ScanResult',
  'ScanToken',
  'SummaryResult',
  'Table',
  'Function',
  'FilterColumn',
]

/** Every node kind that the parser's type declarations name. */
export function declaredKinds(): DeclaredKinds {
  const requireFromParser = createRequire(createRequire(import.meta.url).resolve('libpg-query'))
  const text = readFileSync(join(dirname(requireFromParser.resolve('@pgsql/types')), 'types.d.ts'), 'utf8')
  const bodies = [...text.matchAll(/export interface (\w+) \{([^}]*)\}/g)].map(
    (match) => [match[1] as string, match[2] as string] as const,
  )
  const kinds = new Set(bodies.map(([kind]) => kind).filter((kind) => !ENVELOPES.includes(kind)))
  return new Map(
    bodies.filter(([kind]) => kinds.has(kind)).map(([kind, body]) => [kind, fieldsOf(body, kinds)] as const),
  )
}

function fieldsOf(body: string, kinds: ReadonlySet<string>): ReadonlyMap<string, string> {
  const withoutComments = body.replace(/\/\*[\s\S]*?\*\//g, '')
  const fields = [...withoutComments.matchAll(/^\s*"?(\w+)"?\?:\s*([^;]+);/gm)]
  return new Map(fields.map((match) => [match[1] as string, childOf((match[2] as string).trim(), kinds)]))
}

function childOf(type: string, kinds: ReadonlySet<string>): string {
  if (type === 'Node' || type === 'Node[]') return '*'
  return kinds.has(type) ? type : ''
}

/** The source text of `tree/grammar.ts` for the kinds that a raw tree may hold. */
export function grammarText(kinds: DeclaredKinds, madeByAnalysis: ReadonlySet<string>): string {
  const lines = [...kinds]
    .filter(([kind]) => !madeByAnalysis.has(kind))
    .map(([kind, fields]) => `  ${kind}: '${[...fields].map(([name, child]) => `${name}:${child}`).join(' ')}',`)
  return `${HEADER}${lines.join('\n')}\n}\n`
}

const HEADER = `/**
 * Node kinds of a raw PostgreSQL 18 parse tree and their fields, as the parser declares them.
 *
 * Shapes: kind → \`field:child\` separated by blanks; child is \`*\` for nodes, a kind for an inlined struct, nothing for a scalar
 * Source: the type declarations of the parser; written by test/support/classify/write-grammar.ts, compared by a test
 */
export const GRAMMAR: Readonly<Record<string, string>> = {
`
