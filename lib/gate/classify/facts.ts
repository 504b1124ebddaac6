/** What a walk over the tree has found so far, and the only ways to add to it. */
import { maxRisk, type RiskLevel } from '#lib/kernel/index.ts'
import type {
  Access,
  ColumnUse,
  Finding,
  FunctionUse,
  ObjectKind,
  Scope as Reach,
  Recoverability,
  Target,
  TransactionMode,
  WrittenName,
} from './model.ts'
import type { Scope } from './scope.ts'

/**
 * What becomes of the part of the tree that is being read.
 * `executed`: it runs now. `planned`: plain EXPLAIN, only planned. `stored`: kept for later, as a function's body or a rule's action.
 */
export type Fate = 'executed' | 'planned' | 'stored'

export interface Facts {
  readonly findings: Finding[]
  readonly operations: string[]
  readonly targets: Target[]
  readonly functions: FunctionUse[]
  readonly unresolvedFunctions: FunctionUse[]
  readonly qualifiedOperators: WrittenName[]
  readonly types: WrittenName[]
  readonly columns: ColumnUse[]
  readonly attributes: Set<string>
  /** What is in the lists above already, so that long statements stay cheap. */
  readonly seen: Set<string>
  transaction: TransactionMode
  recoverability: Recoverability
}

/** Where the walk is. Never changed; a deeper part of the tree gets a copy. */
export interface Walk {
  readonly facts: Facts
  readonly scope: Scope
  readonly fate: Fate
  /** The text that holds the tree, for bodies that are parsed from it. */
  readonly source: string
  /** Bodies inside bodies. */
  readonly bodyDepth: number
}

export function emptyFacts(): Facts {
  return {
    findings: [],
    operations: [],
    targets: [],
    functions: [],
    unresolvedFunctions: [],
    qualifiedOperators: [],
    types: [],
    columns: [],
    attributes: new Set(),
    seen: new Set(),
    transaction: 'read',
    recoverability: 'nothing-lost',
  }
}

/** Note a reason for a level. What is only planned has no effect, so it raises nothing. */
export function raise(walk: Walk, code: string, level: RiskLevel, message: string): void {
  if (walk.fate !== 'planned') raiseAlways(walk, code, level, message)
}

/** Note a reason that holds even for what is only planned. */
export function raiseAlways(walk: Walk, code: string, level: RiskLevel, message: string): void {
  const { findings } = walk.facts
  if (!findings.some((known) => known.code === code && known.level === level && known.message === message)) {
    findings.push({ code, level, message })
  }
}

const TRANSACTION_ORDER: readonly TransactionMode[] = ['read', 'write', 'outside', 'never']

/** Ask for at least this mode; the strictest that any part asks for wins. */
export function needTransaction(walk: Walk, mode: TransactionMode): void {
  if (walk.fate !== 'executed') return
  const { facts } = walk
  if (TRANSACTION_ORDER.indexOf(mode) > TRANSACTION_ORDER.indexOf(facts.transaction)) facts.transaction = mode
}

const RECOVERABILITY_ORDER: readonly Recoverability[] = ['nothing-lost', 'tables', 'impossible']

export function noteLoss(walk: Walk, loss: Recoverability): void {
  if (walk.fate !== 'executed') return
  const { facts } = walk
  if (RECOVERABILITY_ORDER.indexOf(loss) > RECOVERABILITY_ORDER.indexOf(facts.recoverability))
    facts.recoverability = loss
}

export interface TargetOptions {
  readonly objectKind?: ObjectKind
  readonly scope?: Reach
  readonly isDestructive?: boolean
  readonly isCascade?: boolean
  readonly isOnly?: boolean
}

/** Note an object that the statement reaches; what is only planned is only read. */
export function addTarget(walk: Walk, object: WrittenName, access: Access, options: TargetOptions = {}): void {
  const isPlanned = walk.fate === 'planned'
  if (isPlanned && access === 'create') return
  if (CHANGES.has(access) && isSystemRelation(object, options.objectKind ?? 'table')) {
    raise(walk, 'catalog-write', 'CRITICAL', 'changes a system catalog, on which every other statement relies')
  }
  const target: Target = {
    object,
    objectKind: options.objectKind ?? 'table',
    access: isPlanned ? 'read' : access,
    scope: isPlanned ? 'not-applicable' : (options.scope ?? 'not-applicable'),
    isDestructive: walk.fate === 'executed' && (options.isDestructive ?? false),
    isCascade: !isPlanned && (options.isCascade ?? false),
    isOnly: options.isOnly ?? false,
  }
  const { objectKind, scope, isDestructive, isCascade, isOnly } = target
  const key = keyOf('target', object, objectKind, target.access, scope, isDestructive, isCascade, isOnly)
  addOnce(walk.facts.targets, target, key, walk.facts.seen)
}

const CHANGES: ReadonlySet<Access> = new Set<Access>([
  'insert',
  'update',
  'delete',
  'merge',
  'truncate',
  'create',
  'alter',
  'drop',
  'copy-in',
])
const SYSTEM_SCHEMAS = new Set(['pg_catalog', 'information_schema', 'pg_toast'])
const RELATION_KINDS: ReadonlySet<ObjectKind> = new Set<ObjectKind>(['table', 'view', 'index', 'materialized view'])

function isSystemRelation({ schema, name }: WrittenName, objectKind: ObjectKind): boolean {
  if (!RELATION_KINDS.has(objectKind)) return false
  return schema === undefined ? name.startsWith('pg_') : SYSTEM_SCHEMAS.has(schema)
}

/** No name has a NUL in it. */
const keyOf = (kind: string, { catalog = '', schema = '', name }: WrittenName, ...rest: readonly unknown[]): string =>
  [kind, catalog, schema, name, ...rest].join('\0')

/** Keep the first of equal entries. */
function addOnce<T>(list: T[], item: T, key: string, seen: Set<string>): void {
  if (seen.has(key)) return
  seen.add(key)
  list.push(item)
}

export function addColumn(walk: Walk, name: string, access: ColumnUse['access'], relation?: WrittenName): void {
  const granted = walk.fate === 'planned' ? 'read' : access
  const column = { ...(relation === undefined ? {} : { relation }), name, access: granted }
  addOnce(walk.facts.columns, column, keyOf('column', relation ?? { name: '' }, name, granted), walk.facts.seen)
}

/** The highest level among the findings. */
export function levelOf(findings: readonly Finding[]): RiskLevel {
  return findings.reduce<RiskLevel>((level, finding) => maxRisk(level, finding.level), 'SAFE')
}
