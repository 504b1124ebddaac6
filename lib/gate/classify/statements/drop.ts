/** DROP and TRUNCATE: what is gone, and whether table snapshots bring it back. */
import type {
  DropdbStmt,
  DropOwnedStmt,
  DropRoleStmt,
  DropStmt,
  DropSubscriptionStmt,
  DropTableSpaceStmt,
  DropUserMappingStmt,
  ObjectType,
  TruncateStmt,
} from 'libpg-query'
import type { RiskLevel } from '#lib/kernel/index.ts'
import { addTarget, raise, type Walk } from '../facts.ts'
import type { Recoverability } from '../model.ts'
import { fieldsOf, relationOf } from '../tree/node.ts'
import { entry, type Judgement } from './entry.ts'
import { isPartOfTable, objectKindOf, objectWords, writtenObject } from './object-names.ts'

export interface DropRule {
  readonly level: RiskLevel
  readonly recoverability: Recoverability
  readonly why: string
}

const definition: DropRule = {
  level: 'HIGH',
  recoverability: 'impossible',
  why: 'its definition is in no table snapshot',
}
const guard: DropRule = {
  level: 'CRITICAL',
  recoverability: 'tables',
  why: 'it protects or follows the rows of its table',
}
const access: DropRule = {
  level: 'CRITICAL',
  recoverability: 'impossible',
  why: 'other objects and the way to their data depend on it',
}

/** What DROP of each kind of object is worth without CASCADE. */
export const DROP_RULES: Readonly<Partial<Record<ObjectType, DropRule>>> = {
  OBJECT_TABLE: { level: 'CRITICAL', recoverability: 'tables', why: 'the table and its rows are gone' },
  OBJECT_SCHEMA: { level: 'CRITICAL', recoverability: 'impossible', why: 'a schema holds more than tables' },
  OBJECT_FOREIGN_TABLE: definition,
  OBJECT_VIEW: definition,
  OBJECT_MATVIEW: definition,
  OBJECT_INDEX: { level: 'HIGH', recoverability: 'tables', why: 'it is rebuilt with its table' },
  OBJECT_SEQUENCE: definition,
  OBJECT_FUNCTION: definition,
  OBJECT_PROCEDURE: definition,
  OBJECT_ROUTINE: definition,
  OBJECT_AGGREGATE: definition,
  OBJECT_TYPE: definition,
  OBJECT_DOMAIN: definition,
  OBJECT_CAST: definition,
  OBJECT_COLLATION: definition,
  OBJECT_CONVERSION: definition,
  OBJECT_OPERATOR: definition,
  OBJECT_OPCLASS: definition,
  OBJECT_OPFAMILY: definition,
  OBJECT_STATISTIC_EXT: definition,
  OBJECT_PUBLICATION: definition,
  OBJECT_TRANSFORM: definition,
  OBJECT_TSCONFIGURATION: definition,
  OBJECT_TSDICTIONARY: definition,
  OBJECT_TSPARSER: definition,
  OBJECT_TSTEMPLATE: definition,
  OBJECT_TRIGGER: guard,
  OBJECT_POLICY: guard,
  OBJECT_RULE: guard,
  OBJECT_EXTENSION: access,
  OBJECT_EVENT_TRIGGER: access,
  OBJECT_LANGUAGE: access,
  OBJECT_FDW: access,
  OBJECT_FOREIGN_SERVER: access,
  OBJECT_ACCESS_METHOD: access,
}

const UNKNOWN: DropRule = { level: 'CRITICAL', recoverability: 'impossible', why: 'this kind of object is not known' }

export const DROP_STATEMENTS = {
  DropStmt: entry<DropStmt>('CRITICAL', 'DROP', 'removes objects', {
    recoverability: 'impossible',
    targets: 'every named object; for a trigger, policy or rule its table as `alter`',
    details: 'by the kind of object, see below; CASCADE is always CRITICAL',
    judge: judgeDrop,
    owned: ['objects'],
  }),
  TruncateStmt: entry<TruncateStmt>('CRITICAL', 'TRUNCATE', 'removes every row', {
    recoverability: 'tables',
    targets: 'every named table as `truncate`, scope `all`',
    judge: judgeTruncate,
    owned: ['relations'],
  }),
  DropdbStmt: entry<DropdbStmt>('CRITICAL', 'DROP DATABASE', 'removes a whole database', {
    transaction: 'outside',
    recoverability: 'impossible',
    targets: 'the database',
    judge: ({ dbname = '' }, walk) => dropNamed(dbname, 'database', walk),
  }),
  DropRoleStmt: entry<DropRoleStmt>('CRITICAL', 'DROP ROLE', 'removes roles and their rights', {
    recoverability: 'impossible',
    targets: 'every role',
    judge: ({ roles = [] }, walk) => {
      for (const role of roles) dropNamed(fieldsOf(role, 'RoleSpec')?.rolename ?? '', 'role', walk)
      return undefined
    },
  }),
  DropOwnedStmt: entry<DropOwnedStmt>('CRITICAL', 'DROP OWNED', 'removes everything that a role owns', {
    recoverability: 'impossible',
    targets: 'every role',
    judge: ({ roles = [] }, walk) => {
      for (const role of roles) dropNamed(fieldsOf(role, 'RoleSpec')?.rolename ?? '', 'role', walk)
      return undefined
    },
  }),
  DropTableSpaceStmt: entry<DropTableSpaceStmt>('CRITICAL', 'DROP TABLESPACE', 'removes a tablespace', {
    transaction: 'outside',
    recoverability: 'impossible',
    targets: 'the tablespace',
    judge: ({ tablespacename = '' }, walk) => dropNamed(tablespacename, 'other', walk),
  }),
  DropSubscriptionStmt: entry<DropSubscriptionStmt>('CRITICAL', 'DROP SUBSCRIPTION', 'ends a replication', {
    transaction: 'outside',
    recoverability: 'impossible',
    targets: 'the subscription',
    judge: ({ subname = '' }, walk) => dropNamed(subname, 'other', walk),
  }),
  DropUserMappingStmt: entry<DropUserMappingStmt>('CRITICAL', 'DROP USER MAPPING', 'removes a way to another server', {
    recoverability: 'impossible',
    targets: 'the server',
    judge: ({ servername = '' }, walk) => dropNamed(servername, 'other', walk),
  }),
}

function dropNamed(name: string, objectKind: 'database' | 'role' | 'other', walk: Walk): undefined {
  addTarget(walk, { name }, 'drop', { objectKind, isDestructive: true })
  return undefined
}

function judgeDrop(drop: DropStmt, walk: Walk): Judgement {
  const type = drop.removeType
  const words = objectWords(type)
  const rule = (type === undefined ? undefined : DROP_RULES[type]) ?? UNKNOWN
  const isCascade = drop.behavior === 'DROP_CASCADE'
  const isPart = isPartOfTable(type)
  for (const node of drop.objects ?? []) {
    const object = writtenObject(node, type)
    if (object === undefined) continue
    const options = { objectKind: isPart ? 'table' : objectKindOf(type), isCascade, isDestructive: !isPart } as const
    addTarget(walk, object, isPart ? 'alter' : 'drop', {
      ...options,
      scope: type === 'OBJECT_TABLE' ? 'all' : 'not-applicable',
    })
  }
  if (isCascade)
    raise(walk, 'cascade', 'CRITICAL', 'CASCADE removes whatever depends on it, named nowhere in the statement')
  const operation = `DROP ${words}${drop.concurrent === true ? ' CONCURRENTLY' : ''}`
  return {
    operation,
    level: rule.level,
    code: `drop-${words.toLowerCase().replaceAll(' ', '-')}`,
    message: `${operation}: ${rule.why}`,
    recoverability: isCascade && type !== 'OBJECT_TABLE' ? 'impossible' : rule.recoverability,
    transaction: drop.concurrent === true ? 'outside' : 'write',
  }
}

function judgeTruncate(truncate: TruncateStmt, walk: Walk): undefined {
  const isCascade = truncate.behavior === 'DROP_CASCADE'
  for (const node of truncate.relations ?? []) {
    const table = fieldsOf(node, 'RangeVar')
    if (table === undefined) continue
    addTarget(walk, relationOf(table), 'truncate', {
      scope: 'all',
      isDestructive: true,
      isCascade,
      isOnly: table.inh !== true,
    })
  }
  if (isCascade) raise(walk, 'cascade', 'CRITICAL', 'CASCADE empties every table that refers to these')
  if (truncate.restart_seqs === true)
    raise(walk, 'restart-identity', 'HIGH', 'RESTART IDENTITY starts the sequences anew')
  return undefined
}
