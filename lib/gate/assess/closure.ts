/**
 * Everything that a statement reaches beyond its own text: views, row-security policies, functions and their bodies,
 * operators, casts and domain checks, followed until nothing new appears.
 */
import { sha256Hex } from '#lib/kernel/index.ts'
import type { DatabaseSession } from '#lib/ports/index.ts'
import type { Access, ClassifiedStatement, ColumnUse, Finding } from '../classify/index.ts'
import { classify } from '../classify/index.ts'
import type { CastRow, DefinitionRow, FunctionRow, NameLookup, RelationRow } from './catalog-rows.ts'
import { judgeFunction } from './judge-function.ts'
import { lookUpDefinitions, lookUpFunctions, lookUpNames } from './look-up.ts'
import type { LossRoot } from './losing-tables.ts'
import { lossRoots } from './loss-roots.ts'
import { operatorSymbols } from './operators.ts'

const MAX_ROUNDS = 12

const WRITES: ReadonlySet<Access> = new Set<Access>(['insert', 'update', 'delete', 'merge', 'truncate'])

/** Definitions that may be replaced while the object keeps its OID; functions are bound by their bodies. */
const BOUND_SOURCES: ReadonlySet<DefinitionRow['source']> = new Set<DefinitionRow['source']>(['view', 'policy', 'rule'])

export interface Closure {
  /** Of the statement's own targets, in their order; oid 0 where the name means nothing. */
  readonly direct: readonly RelationRow[]
  /** Reached through views and function bodies. */
  readonly indirect: readonly RelationRow[]
  /** Columns named in those definitions, with `relation` as written there. */
  readonly indirectColumns: readonly ColumnUse[]
  /** What function bodies destroy. */
  readonly indirectLosses: readonly LossRoot[]
  readonly functions: readonly FunctionRow[]
  readonly findings: readonly Finding[]
  /** Calls that no function answers to. */
  readonly unknownFunctions: readonly string[]
  /** `view:oid:digest` and `policy:oid:digest` of what was followed. */
  readonly definitions: readonly string[]
  /** True when nothing but built-in functions, operators and types is used. */
  readonly isBuiltInOnly: boolean
}

interface Text {
  readonly sql: string
  readonly statement: ClassifiedStatement
}

export class Walk {
  readonly relations = new Map<number, RelationRow>()
  readonly functions = new Map<number, FunctionRow>()
  readonly findings: Finding[] = []
  readonly columns: ColumnUse[] = []
  readonly losses: LossRoot[] = []
  /** What definitions write to, by OID. */
  readonly writes = new Map<number, Access[]>()
  /** `view:oid:digest` of every definition that decides what the statement means. */
  readonly definitions = new Set<string>()
  readonly #defined = new Set<string>()
  readonly #session: DatabaseSession

  constructor(session: DatabaseSession) {
    this.#session = session
  }

  /** Look the text's names up; everything of users that it reaches is remembered. */
  async visit(texts: readonly Text[], everywhere: boolean): Promise<NameLookup> {
    const found = await lookUpNames(this.#session, namesOf(texts, everywhere))
    const targets = texts.flatMap((text) => text.statement.targets)
    for (const row of found.relations) {
      if (row.oid === 0) continue
      this.relations.set(row.oid, row)
      const target = targets[row.written]
      if (!everywhere || target === undefined) continue
      this.losses.push(...lossRoots([[target, row]]))
      if (WRITES.has(target.access)) this.writes.set(row.oid, [...(this.writes.get(row.oid) ?? []), target.access])
    }
    const castOids = castsReached(found, texts)
    const casts = castOids.length === 0 ? [] : await lookUpFunctions(this.#session, castOids)
    for (const row of [...found.functions, ...casts]) this.#addFunction(row)
    return found
  }

  /** Definitions of what was found since the last time, as texts to visit. */
  async define(domains: readonly number[]): Promise<readonly Text[]> {
    const relations = [...this.relations.values()]
    const rows = await this.#fetch({
      views: relations.filter((row) => row.kind === 'v' || row.kind === 'm').map((row) => row.oid),
      policyTables: relations.filter((row) => row.hasRowSecurity).map((row) => row.oid),
      functions: [...this.functions.keys()],
      domains,
    })
    const supports = rows.filter((row) => row.source === 'aggregate').map((row) => Number(row.text))
    if (supports.length > 0) for (const row of await lookUpFunctions(this.#session, supports)) this.#addFunction(row)
    return rows.filter((row) => row.source !== 'aggregate').flatMap((row) => this.#read(row))
  }

  /** Follow until nothing new appears. */
  async follow(firstDomains: readonly number[]): Promise<void> {
    let domains = firstDomains
    for (let round = 0; ; round++) {
      const functionCount = this.functions.size
      const texts = await this.define(domains)
      if (texts.length === 0 && this.functions.size === functionCount) return
      if (round === MAX_ROUNDS) {
        const message = 'Its views and functions nest too deeply to be followed.'
        this.findings.push({ code: 'definitions-too-deep', level: 'HIGH', message })
        return
      }
      domains = texts.length === 0 ? [] : (await this.visit(texts, true)).domains
    }
  }

  /** Take expressions in as if they were written in a statement. */
  async addExpressions(expressions: readonly string[]): Promise<readonly number[]> {
    const texts = expressions.flatMap((text) => this.#read({ source: 'expression', oid: 0, text }))
    return texts.length === 0 ? [] : (await this.visit(texts, true)).domains
  }

  /** Take in the actions of rules. */
  async addRules(rules: readonly DefinitionRow[]): Promise<readonly number[]> {
    const texts = rules.flatMap((row) => this.#read(row))
    return texts.length === 0 ? [] : (await this.visit(texts, true)).domains
  }

  async addFunctions(oids: readonly number[]): Promise<void> {
    for (const row of await lookUpFunctions(this.#session, oids)) this.#addFunction(row)
  }

  async #fetch(objects: Parameters<typeof lookUpDefinitions>[1]): Promise<DefinitionRow[]> {
    const fresh = (kind: string, oids: readonly number[]) =>
      oids.filter((oid) => !this.#defined.has(`${kind}:${oid}`) && this.#defined.add(`${kind}:${oid}`))
    const wanted = {
      views: fresh('view', objects.views),
      policyTables: fresh('policy', objects.policyTables),
      functions: fresh('function', objects.functions),
      domains: fresh('domain', objects.domains),
    }
    if (Object.values(wanted).every((oids) => oids.length === 0)) return []
    return lookUpDefinitions(this.#session, wanted)
  }

  #read(row: DefinitionRow): readonly Text[] {
    const isExpression = row.source === 'policy' || row.source === 'domain' || row.source === 'expression'
    const sql = isExpression ? `SELECT ${row.text}` : row.text
    const statement = classify(sql)
    if (!statement.ok) {
      this.findings.push({
        code: 'unreadable-definition',
        level: 'HIGH',
        message: `A ${row.source} that it uses cannot be read.`,
      })
      return []
    }
    if (BOUND_SOURCES.has(row.source)) this.definitions.add(`${row.source}:${row.oid}:${sha256Hex(row.text)}`)
    this.findings.push(...definitionFindings(row, statement))
    this.columns.push(...statement.columns)
    return [{ sql, statement }]
  }

  #addFunction(row: FunctionRow): void {
    if (this.functions.has(row.oid)) return
    this.functions.set(row.oid, row)
    this.findings.push(...judgeFunction(row))
  }
}

/** Findings about the act of defining, which happened long ago; what `judgeFunction` says of the catalog's row counts instead. */
const OF_DEFINING = new Set(['create-function', 'create-procedure', 'security-definer'])

/** What running the definition does. */
function definitionFindings(row: DefinitionRow, statement: ClassifiedStatement): readonly Finding[] {
  return statement.findings
    .filter((finding) => finding.level !== 'SAFE' && !(row.source === 'function' && OF_DEFINING.has(finding.code)))
    .map((finding) => ({
      code: `${row.source}-reaches-${finding.code}`,
      level: finding.level,
      message: `Through a ${row.source}: ${finding.message}`,
    }))
}

function namesOf(texts: readonly Text[], everywhere: boolean): Parameters<typeof lookUpNames>[1] {
  const statements = texts.map((text) => text.statement)
  const calls = statements.flatMap((statement) => statement.functions)
  const operators = [
    ...texts.flatMap((text) => operatorSymbols(text.sql)),
    ...statements.flatMap((statement) => statement.qualifiedOperators.map((operator) => operator.name)),
  ]
  return {
    relations: statements.flatMap((statement) => statement.targets.map((target) => target.object)),
    functions: [...new Set(calls.map((call) => call.name))],
    functionSchemas: [...new Set(calls.flatMap((call) => (call.schema === undefined ? [] : [call.schema])))],
    operators: [...new Set(operators)],
    attributes: [...new Set(statements.flatMap(attributeNames))],
    types: statements.flatMap((statement) => statement.types),
    everywhere,
  }
}

/** Names that may call a function without parentheses: `r.name` is `name(r)` where the row `r` has no such column. */
function attributeNames(statement: ClassifiedStatement): readonly string[] {
  return [...statement.attributes, ...statement.columns.map((column) => column.name)]
}

/** A user's cast is reached where the text names one of its types; one that needs no writing, also through columns and functions. */
function castsReached(found: NameLookup, texts: readonly Text[]): readonly number[] {
  if (found.casts.length === 0) return []
  const text = texts.map((one) => one.sql.toLowerCase()).join('\n')
  const isNamed = (cast: CastRow) => cast.typeNames.some((name) => text.includes(name.toLowerCase()))
  const isSilent = (cast: CastRow) => cast.isOfColumn || cast.isBetweenBuiltIns || found.functions.length > 0
  return found.casts
    .filter((cast) => isNamed(cast) || (cast.context !== 'e' && isSilent(cast)))
    .map((cast) => cast.functionOid)
}

function unknownCalls(statement: ClassifiedStatement, found: readonly FunctionRow[]): readonly string[] {
  const known = new Set(found.map((row) => row.name))
  return [...new Set(statement.unresolvedFunctions.map((call) => call.name).filter((name) => !known.has(name)))]
}

function foreignFindings(relations: Iterable<RelationRow>): readonly Finding[] {
  return [...relations]
    .filter((row) => row.reachesForeign)
    .map((row) => ({
      code: 'foreign-table',
      level: 'HIGH' as const,
      message: `${row.schema}.${row.name} reaches a foreign server, where no transaction of ours protects anything.`,
    }))
}

/** Catalogs that hold passwords and addresses of servers; no statement of an agent has a use for them. */
const SECRET_CATALOGS = new Set([
  'pg_catalog.pg_authid',
  'pg_catalog.pg_shadow',
  'pg_catalog.pg_user_mapping',
  'pg_catalog.pg_user_mappings',
  'pg_catalog.pg_subscription',
  'pg_catalog.pg_hba_file_rules',
  'pg_catalog.pg_ident_file_mappings',
  'pg_catalog.pg_file_settings',
  'information_schema.user_mapping_options',
  'information_schema._pg_user_mappings',
])

function secretFindings(direct: readonly RelationRow[]): readonly Finding[] {
  return direct
    .filter((row) => SECRET_CATALOGS.has(`${row.schema}.${row.name}`))
    .map((row) => ({
      code: 'server-secret',
      level: 'HIGH' as const,
      message: `${row.schema}.${row.name} holds passwords or the way to other servers.`,
    }))
}

/** Long values of every table lie there, whatever protects the table. */
function toastFindings(direct: readonly RelationRow[]): readonly Finding[] {
  return direct
    .filter((row) => row.kind === 't')
    .map((row) => ({
      code: 'storage-of-another-table',
      level: 'HIGH' as const,
      message: `${row.schema}.${row.name} stores values of another table, past its name and its policies.`,
    }))
}

/** What no rollback undoes, by the code of the finding, however it is reached. */
const OUTSIDE_THE_TRANSACTION =
  /(^|-reaches-)(other-connection|other-session|hidden-sql|server-file|server-control|replication-control|copy-program|copy-server-file)$/

/** What no rollback undoes, among what a walk found. */
export function outsideFindings(walk: Walk): readonly Finding[] {
  return walk.findings.filter((finding) => OUTSIDE_THE_TRANSACTION.test(finding.code))
}

/**
 * What functions do outside of the transaction, when they run without being named: by a comparison, a sort, a range.
 * What they do inside of it is counted by the row guard, or stopped by READ ONLY, so that a volatile one is nothing unusual.
 */
async function followFunctions(session: DatabaseSession, oids: readonly number[]): Promise<readonly Finding[]> {
  if (oids.length === 0) return []
  const walk = new Walk(session)
  await walk.addFunctions(oids)
  await walk.follow([])
  return outsideFindings(walk)
}

/** Follow the statement through the catalog of the session's database. */
export async function followStatement(
  session: DatabaseSession,
  sql: string,
  statement: ClassifiedStatement,
): Promise<Closure> {
  const walk = new Walk(session)
  const first = await walk.visit([{ sql, statement }], false)
  const direct = first.relations
  await walk.follow(first.domains)
  const ambient = await followFunctions(
    session,
    first.ambient.filter((oid) => !walk.functions.has(oid)),
  )
  const directOids = new Set(direct.map((row) => row.oid))
  const functions = [...walk.functions.values()]
  return {
    direct,
    indirect: [...walk.relations.values()].filter((row) => !directOids.has(row.oid)),
    indirectColumns: walk.columns,
    indirectLosses: walk.losses,
    functions,
    findings: [
      ...walk.findings,
      ...ambient,
      ...foreignFindings(walk.relations.values()),
      ...secretFindings(direct),
      ...toastFindings(direct),
    ],
    unknownFunctions: unknownCalls(statement, first.functions),
    definitions: [...walk.definitions],
    isBuiltInOnly: functions.length === 0,
  }
}
