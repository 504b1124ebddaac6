/** The page docs/statements.md, written from the same tables that decide. */

import { DENIED_FUNCTIONS, DENIED_PREFIXES } from './functions/denied-functions.ts'
import { HARMLESS_VOLATILE } from './functions/harmless-functions.ts'
import { SUBCOMMAND_RULES } from './statements/alter-table.ts'
import { DROP_RULES } from './statements/drop.ts'
import { STATEMENTS } from './statements/index.ts'
import { objectWords } from './statements/object-names.ts'
import { ANALYSIS_KINDS } from './tree/analysis-kinds.ts'
import { FIELDS } from './tree/node.ts'

/** Render the page. Pure: the same tables give the same text. */
export function renderStatementPage(): string {
  return `${[INTRODUCTION, statementTable(), dropTable(), subcommandTable(), functionTables(), kindLists()].join('\n\n')}\n`
}

const INTRODUCTION = `# Statements

How the gate judges every kind of statement of PostgreSQL 18's grammar before it asks the database. Generated from the tables in
\`lib/gate/classify\`; a test fails when this page is stale (\`UPDATE_DOCS=1\` rewrites it) and when the parser knows a kind
that the tables do not.

The level of a statement is the highest of everything in it: a write in a WITH clause, in a function body or under EXPLAIN
ANALYZE counts like a write of its own. A kind of node that is not listed here is CRITICAL.`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

const LOSS = { 'nothing-lost': 'nothing is lost', tables: 'from table snapshots', impossible: 'no' } as const
const MODE = { read: 'read only', write: 'read write', outside: 'none', never: 'not run' } as const

function statementTable(): string {
  const rows = [...STATEMENTS]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([kind, entry]) => [
      `\`${kind}\``,
      entry.operation,
      entry.level,
      MODE[entry.transaction],
      LOSS[entry.recoverability],
      entry.targets,
      entry.details === undefined ? entry.message : `${entry.message}; ${entry.details}`,
    ])
  const head = ['node', 'operation', 'level', 'transaction', 'recoverable', 'targets', 'why, and what changes it']
  return `## Statement nodes (${rows.length})\n\n${table(head, rows)}`
}

function dropTable(): string {
  const rows = Object.entries(DROP_RULES).map(([type, rule]) => [
    `DROP ${objectWords(type)}`,
    rule.level,
    LOSS[rule.recoverability],
    rule.why,
  ])
  return `## DROP by kind of object (${rows.length})\n\n${table(['operation', 'level', 'recoverable', 'why'], rows)}`
}

function subcommandTable(): string {
  const rows = Object.entries(SUBCOMMAND_RULES).map(([type, rule]) => [
    `\`${type}\``,
    rule.level,
    LOSS[rule.recoverability],
    rule.why,
  ])
  return `## ALTER TABLE by subcommand (${rows.length})\n\n${table(['subcommand', 'level', 'recoverable', 'why'], rows)}`
}

function functionTables(): string {
  const denied = [
    ...[...DENIED_FUNCTIONS].map(([name, denial]) => [`\`${name}\``, denial.level, denial.reason]),
    ...DENIED_PREFIXES.map(([prefix, denial]) => [`\`${prefix}…\``, denial.level, denial.reason]),
  ]
  const harmless = [...HARMLESS_VOLATILE].map(([name, reason]) => [`\`${name}\``, reason])
  return `## Functions that are never part of a SAFE statement (${denied.length})

What a READ ONLY transaction does not stop, and what does not fit a read. A qualified name gains nothing.

${table(['function', 'level', 'why'], denied)}

## VOLATILE functions that may run in a read (${harmless.length})

Every other VOLATILE function of pg_catalog is HIGH. IMMUTABLE and STABLE ones may run. Functions outside pg_catalog are looked up.

${table(['function', 'why'], harmless)}`
}

function kindLists(): string {
  const expressions = [...FIELDS.keys()].filter((kind) => !STATEMENTS.has(kind)).toSorted()
  const analysed = [...ANALYSIS_KINDS].toSorted()
  const list = (kinds: readonly string[]): string => kinds.map((kind) => `\`${kind}\``).join(' ')
  return `## Other nodes that are walked (${expressions.length})

${list(expressions)}

## Nodes that only the server makes after parsing (${analysed.length})

One of these in a tree is CRITICAL as \`unknown-node\`.

${list(analysed)}`
}
