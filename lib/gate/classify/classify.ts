/** SQL text in, everything that the text alone tells about it out. */
import { isAtLeast, maxRisk, RISK_LEVELS, sha256Hex } from '#lib/kernel/index.ts'
import { emptyFacts, type Facts, levelOf, raise, raiseAlways, type Walk } from './facts.ts'
import { hasHidden, hasTurningLiteral, mayHide } from './hidden-characters.ts'
import { buildImpactQuery } from './impact-query.ts'
import { hasEscapedName, lookalikeOf } from './lookalike.ts'
import {
  type Classification,
  type ClassifiedStatement,
  MAX_STATEMENT_BYTES,
  MAX_TREE_DEPTH,
  type RefusedText,
} from './model.ts'
import { MAX_TEXT_NESTING, nestingOf, SHALLOW_TEXT_LENGTH } from './nesting.ts'
import { fingerprintOf, type Parsed, type ParsedStatement, parseText } from './parser.ts'
import { isCostlyToScan } from './pieces.ts'
import { returnsRows } from './returns-rows.ts'
import { emptyScope } from './scope.ts'
import { visitRoot } from './statements/index.ts'
import { depthOf } from './tree/depth.ts'
import { kindOf } from './tree/node.ts'

/**
 * Classify one statement.
 *
 * Shapes:     any string → what the statement is, or why the text cannot be judged
 * Invariants: the same text gives the same answer; white space, comments and keyword case change nothing but `textSha256`;
 *             what is not understood is CRITICAL
 * Effects:    pure
 * Throws:     only when `loadClassifier` has not been awaited
 */
export function classify(sql: string): Classification {
  const text = trimmed(sql)
  const refusal = refuseBeforeParsing(text)
  if (refusal !== undefined) return refusal
  const parsed = parseText(text)
  if (!parsed.ok) return refuseParsed(text, parsed)
  const [statement, ...others] = parsed.statements
  if (statement === undefined) return refuse(text, 'EMPTY', 'there is no statement')
  if (others.length > 0) return refuse(text, 'MULTIPLE_STATEMENTS', 'send one statement at a time')
  if (text.length >= SHALLOW_TEXT_LENGTH && depthOf(statement.node, MAX_TREE_DEPTH) > MAX_TREE_DEPTH)
    return tooDeep(text)
  try {
    return judge(text, statement)
  } catch (error) {
    if (error instanceof RangeError) return tooDeep(text)
    throw error
  }
}

/** Without the white space around it, as PostgreSQL understands white space: no Unicode spaces, no byte order mark. */
function trimmed(sql: string): string {
  let start = 0
  let end = sql.length
  while (start < end && WHITE.has(sql[start] as string)) start += 1
  while (end > start && WHITE.has(sql[end - 1] as string)) end -= 1
  return sql.slice(start, end)
}

const WHITE = new Set([' ', '\t', '\n', '\r', '\f', '\v'])

function refuse(text: string, code: RefusedText['code'], message: string, position?: number): RefusedText {
  return {
    ok: false,
    code,
    level: code === 'EMPTY' ? 'SAFE' : 'CRITICAL',
    message,
    textSha256: sha256Hex(text),
    ...(position === undefined ? {} : { position }),
  }
}

function tooDeep(text: string): RefusedText {
  return refuse(text, 'TOO_DEEP', `the statement is nested more than ${MAX_TREE_DEPTH} levels deep`)
}

/** What must not reach the parser, or would not be read as it is written. */
function refuseBeforeParsing(text: string): RefusedText | undefined {
  if (text === '') return refuse(text, 'EMPTY', 'there is no statement')
  if (text.length > MAX_STATEMENT_BYTES || Buffer.byteLength(text) > MAX_STATEMENT_BYTES) {
    return refuse(text, 'TOO_LONG', `the statement is longer than ${MAX_STATEMENT_BYTES} bytes`)
  }
  if (text.includes('\0') || !text.isWellFormed()) {
    return refuse(text, 'HIDDEN_CHARACTERS', 'the text holds a NUL character or half a character')
  }
  if (isCostlyToScan(text)) return refuse(text, 'TOO_DEEP', 'operators are too long or comments nest too deeply')
  return refuseHidden(text) ?? (text.length < SHALLOW_TEXT_LENGTH ? undefined : refuseNested(text))
}

function refuseHidden(text: string): RefusedText | undefined {
  if (!mayHide(text)) return undefined
  const message = 'the text holds characters that cannot be seen or that reorder it'
  return hasHidden(text) ? refuse(text, 'HIDDEN_CHARACTERS', message) : undefined
}

function refuseNested(text: string): RefusedText | undefined {
  const nesting = nestingOf(text)
  if (nesting === undefined) return refuse(text, 'PARSE_FAILURE', 'a literal, name or comment does not end')
  return nesting > MAX_TEXT_NESTING ? tooDeep(text) : undefined
}

function refuseParsed(text: string, parsed: Extract<Parsed, { ok: false }>): RefusedText {
  if (parsed.because === 'depth') return tooDeep(text)
  return refuse(text, 'PARSE_FAILURE', parsed.message, parsed.position)
}

function judge(text: string, statement: ParsedStatement): ClassifiedStatement {
  const facts = emptyFacts()
  const walk: Walk = { facts, scope: emptyScope(), fate: 'executed', source: text, bodyDepth: 0 }
  visitRoot(statement.node, walk)
  noteAppearance(text, walk)
  return assemble(text, statement, facts)
}

const PLAIN = /^[\n\r\t\f -~]*$/

/** Names and literals that read differently from what they are. */
function noteAppearance(text: string, walk: Walk): void {
  const isPlain = PLAIN.test(text)
  if (isPlain && !/u&"/i.test(text)) return
  const isWrite = isAtLeast(levelOf(walk.facts.findings), 'LOW')
  if (isWrite && hasEscapedName(text)) {
    raise(walk, 'escaped-name', 'HIGH', 'a name is written with escapes that hide its letters')
  }
  if (isPlain) return
  if (hasTurningLiteral(text)) {
    raiseAlways(walk, 'reordering-literal', 'HIGH', 'a literal holds characters that turn the direction of the text')
  }
  const lookalike = lookalikeOf(text)
  if (lookalike === 'mixed' || (lookalike === 'whole' && isWrite)) {
    raise(walk, 'lookalike-name', 'HIGH', 'a name is made of letters that look like those of another alphabet')
  }
}

function assemble(text: string, statement: ParsedStatement, facts: Facts): ClassifiedStatement {
  const findings = facts.findings.toSorted(
    (left, right) => RISK_LEVELS.indexOf(right.level) - RISK_LEVELS.indexOf(left.level),
  )
  const level = maxRisk('SAFE', levelOf(findings))
  const impact = impactOf(text, statement)
  const textSha256 = sha256Hex(text)
  return {
    ok: true,
    kind: kindOf(statement.node) ?? '',
    operation: operationOf(facts.operations),
    operations: [...new Set(facts.operations)],
    level,
    findings,
    targets: facts.targets,
    functions: facts.functions,
    unresolvedFunctions: facts.unresolvedFunctions,
    qualifiedOperators: facts.qualifiedOperators,
    types: facts.types,
    columns: facts.columns,
    attributes: [...facts.attributes],
    transaction: facts.transaction === 'read' && isAtLeast(level, 'LOW') ? 'write' : facts.transaction,
    recoverability: facts.recoverability,
    returnsRows: returnsRows(statement.node),
    fingerprint: fingerprintOf(text) ?? textSha256,
    textSha256,
    ...(impact === undefined ? {} : { impact }),
  }
}

/** `EXPLAIN ANALYZE` is named together with what it runs. */
function operationOf([root = '', inner]: readonly string[]): string {
  return root === 'EXPLAIN ANALYZE' && inner !== undefined ? `${root} ${inner}` : root
}

/** Counting runs the predicate, so a predicate with effects of its own is not counted. */
function impactOf(text: string, { node }: ParsedStatement): ClassifiedStatement['impact'] {
  const impact = buildImpactQuery(text, node)
  if (impact === undefined) return undefined
  const facts = emptyFacts()
  visitRoot(impact.tree, { facts, scope: emptyScope(), fate: 'executed', source: impact.rowsQuery, bodyDepth: 0 })
  const { target, rowsQuery, placesQuery } = impact
  return levelOf(facts.findings) === 'SAFE' ? { target, rowsQuery, placesQuery } : undefined
}
