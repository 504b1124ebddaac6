/** CREATE of tables, views, indexes and other objects that add and take nothing away. */
import type {
  CompositeTypeStmt,
  CreateCastStmt,
  CreateConversionStmt,
  CreateDomainStmt,
  CreateEnumStmt,
  CreateForeignTableStmt,
  CreateOpClassStmt,
  CreateOpFamilyStmt,
  CreateRangeStmt,
  CreateSchemaStmt,
  CreateSeqStmt,
  CreateStatsStmt,
  CreateStmt,
  CreateTableAsStmt,
  CreateTransformStmt,
  DefineStmt,
  IndexStmt,
  Node,
  RangeVar,
  ViewStmt,
} from 'libpg-query'
import { addColumn, addTarget, needTransaction, raise, type Walk } from '../facts.ts'
import type { ObjectKind } from '../model.ts'
import { innerScope, rangeOfTable } from '../scope.ts'
import { type Fields, fieldsOf, nameFrom, relationOf, textsOf } from '../tree/node.ts'
import { visit, visitChildren } from '../walk.ts'
import { entry, type Judgement } from './entry.ts'
import { objectWords } from './object-names.ts'
import { isTemporary } from './select.ts'

export const CREATE_STATEMENTS = {
  CreateStmt: entry<CreateStmt>('HIGH', 'CREATE TABLE', 'adds a table', {
    targets: 'the table as `create`; parents, partitioned tables and referenced tables as `read`',
    details: 'a temporary table is refused: it would stay in the session',
    judge: ({ relation }, walk) => createRelation(relation, 'table', walk),
    walk: (create, walk) => visitChildren('CreateStmt', create as Fields, inTable(create.relation, walk), RELATION),
  }),
  CreateForeignTableStmt: entry<CreateForeignTableStmt>(
    'HIGH',
    'CREATE FOREIGN TABLE',
    'adds a way to another server',
    {
      targets: 'the table as `create`',
      judge: ({ base }, walk) => createRelation(base?.relation, 'foreign table', walk),
      walk: ({ base }, walk) =>
        visitChildren('CreateStmt', (base ?? {}) as Fields, inTable(base?.relation, walk), RELATION),
    },
  ),
  CreateTableAsStmt: entry<CreateTableAsStmt>('HIGH', 'CREATE TABLE AS', 'adds a table with rows', {
    targets: 'the table as `create`, what the query reads as `read`',
    judge: judgeTableAs,
    walk: ({ query }, walk) => visit(query, walk),
  }),
  ViewStmt: entry<ViewStmt>('HIGH', 'CREATE VIEW', 'adds or replaces a view', {
    targets: 'the view as `create`, what the query reads as `read`',
    judge: ({ view }, walk) => createRelation(view, 'view', walk),
    walk: ({ query }, walk) => visit(query, { ...walk, fate: walk.fate === 'planned' ? 'planned' : 'stored' }),
  }),
  IndexStmt: entry<IndexStmt>('HIGH', 'CREATE INDEX', 'adds an index; its expressions run for every row', {
    targets: 'the table as `alter`',
    details: 'CONCURRENTLY runs outside a transaction',
    judge: judgeIndex,
    walk: (index, walk) => visitChildren('IndexStmt', index as Fields, inTable(index.relation, walk), RELATION),
  }),
  CreateSeqStmt: entry<CreateSeqStmt>('HIGH', 'CREATE SEQUENCE', 'adds a sequence', {
    targets: 'the sequence as `create`',
    judge: ({ sequence }, walk) => createRelation(sequence, 'sequence', walk),
    owned: ['sequence'],
  }),
  CreateSchemaStmt: entry<CreateSchemaStmt>('HIGH', 'CREATE SCHEMA', 'adds a schema', {
    targets: 'the schema as `create`, and what its elements create',
    judge: ({ schemaname, authrole }, walk) => create(schemaname ?? authrole?.rolename ?? '', 'schema', walk),
  }),
  CreateStatsStmt: entry<CreateStatsStmt>('HIGH', 'CREATE STATISTICS', 'adds extended statistics', {
    targets: 'the table as `read`',
    judge: ({ relations = [] }, walk) => {
      for (const relation of relations) enterRelation(relation, walk)
      return undefined
    },
  }),
  CreateDomainStmt: entry<CreateDomainStmt>('HIGH', 'CREATE DOMAIN', 'adds a type', {
    targets: 'the type as `create`',
    judge: ({ domainname }, walk) => createList(domainname, 'type', walk),
  }),
  CreateEnumStmt: entry<CreateEnumStmt>('HIGH', 'CREATE TYPE', 'adds a type', {
    targets: 'the type as `create`',
    judge: ({ typeName }, walk) => createList(typeName, 'type', walk),
  }),
  CreateRangeStmt: entry<CreateRangeStmt>('HIGH', 'CREATE TYPE', 'adds a type', {
    targets: 'the type as `create`',
    judge: ({ typeName }, walk) => createList(typeName, 'type', walk),
  }),
  CompositeTypeStmt: entry<CompositeTypeStmt>('HIGH', 'CREATE TYPE', 'adds a type', {
    targets: 'the type as `create`',
    judge: ({ typevar }, walk) => createRelation(typevar, 'type', walk),
    owned: ['typevar'],
  }),
  DefineStmt: entry<DefineStmt>(
    'HIGH',
    'CREATE',
    'adds an aggregate, operator, type, collation or text search object',
    {
      targets: 'the object as `create`',
      judge: judgeDefine,
    },
  ),
  CreateCastStmt: entry<CreateCastStmt>('HIGH', 'CREATE CAST', 'adds a cast', {
    details: 'CRITICAL when it applies without being written: it changes what other statements mean',
    judge: ({ context }) =>
      context === 'COERCION_EXPLICIT' || context === undefined
        ? undefined
        : { level: 'CRITICAL', message: 'the cast applies without being written and changes what statements mean' },
  }),
  CreateConversionStmt: entry<CreateConversionStmt>('HIGH', 'CREATE CONVERSION', 'adds a conversion between encodings'),
  CreateOpClassStmt: entry<CreateOpClassStmt>('HIGH', 'CREATE OPERATOR CLASS', 'adds an operator class'),
  CreateOpFamilyStmt: entry<CreateOpFamilyStmt>('HIGH', 'CREATE OPERATOR FAMILY', 'adds an operator family'),
  CreateTransformStmt: entry<CreateTransformStmt>('HIGH', 'CREATE TRANSFORM', 'adds a transform for a language'),
}

const RELATION = new Set(['relation'])

/** A scope in which a table's own columns are known, for the expressions in its definition. */
export function inTable(table: RangeVar | undefined, walk: Walk): Walk {
  if (table === undefined) return walk
  const scope = innerScope(walk.scope)
  scope.ranges.push(rangeOfTable(table))
  return { ...walk, scope }
}

function enterRelation(node: Node, walk: Walk): void {
  const table = fieldsOf(node, 'RangeVar')
  if (table !== undefined) walk.scope.ranges.push(rangeOfTable(table))
}

function createRelation(table: RangeVar | undefined, objectKind: ObjectKind, walk: Walk): Judgement | undefined {
  if (table === undefined) return undefined
  addTarget(walk, relationOf(table), 'create', { objectKind })
  return isTemporary(table) ? refuseTemporary(walk) : undefined
}

function refuseTemporary(walk: Walk): Judgement {
  raise(walk, 'temporary-object', 'HIGH', 'a temporary object stays in the session, which the next caller may get')
  return { transaction: 'never' }
}

function create(name: string, objectKind: ObjectKind, walk: Walk): undefined {
  addTarget(walk, { name }, 'create', { objectKind })
  return undefined
}

function createList(names: readonly Node[] | undefined, objectKind: ObjectKind, walk: Walk): Judgement | undefined {
  const object = nameFrom(textsOf(names))
  addTarget(walk, object, 'create', { objectKind })
  return object.schema?.startsWith('pg_temp') === true ? refuseTemporary(walk) : undefined
}

function judgeTableAs(statement: CreateTableAsStmt, walk: Walk): Judgement {
  const isView = statement.objtype === 'OBJECT_MATVIEW'
  const operation = isView ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS'
  const judged = createRelation(statement.into?.rel, isView ? 'materialized view' : 'table', walk)
  return { operation, message: `${operation} adds a relation with rows`, ...judged }
}

function judgeIndex(index: IndexStmt, walk: Walk): Judgement | undefined {
  const table = index.relation ?? {}
  addTarget(walk, relationOf(table), 'alter', { isOnly: table.inh !== true })
  for (const node of index.indexParams ?? []) {
    const name = fieldsOf(node, 'IndexElem')?.name
    if (name !== undefined) addColumn(walk, name, 'read', relationOf(table))
  }
  if (index.concurrent !== true) return undefined
  needTransaction(walk, 'outside')
  return { operation: 'CREATE INDEX CONCURRENTLY', transaction: 'outside' }
}

function judgeDefine(define: DefineStmt, walk: Walk): Judgement | undefined {
  const words = objectWords(define.kind)
  const isFunction = define.kind === 'OBJECT_AGGREGATE'
  const judged = createList(
    define.defnames,
    isFunction ? 'function' : define.kind === 'OBJECT_TYPE' ? 'type' : 'other',
    walk,
  )
  return { operation: `CREATE ${words}`, message: `CREATE ${words} adds an object`, ...judged }
}
