/** Names of objects in DDL nodes, in the many forms that the grammar gives them. */
import type { Node } from 'libpg-query'
import type { ObjectKind, WrittenName } from '../model.ts'
import { fieldsOf, nameFrom, relationOf, textOf, textsOf } from '../tree/node.ts'

/** The object kinds of the model by PostgreSQL's ObjectType. */
const OBJECT_KINDS: Readonly<Record<string, ObjectKind>> = {
  OBJECT_TABLE: 'table',
  OBJECT_VIEW: 'view',
  OBJECT_MATVIEW: 'materialized view',
  OBJECT_INDEX: 'index',
  OBJECT_SEQUENCE: 'sequence',
  OBJECT_SCHEMA: 'schema',
  OBJECT_DATABASE: 'database',
  OBJECT_FUNCTION: 'function',
  OBJECT_PROCEDURE: 'function',
  OBJECT_ROUTINE: 'function',
  OBJECT_AGGREGATE: 'function',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_ROLE: 'role',
  OBJECT_EXTENSION: 'extension',
  OBJECT_FOREIGN_TABLE: 'foreign table',
  OBJECT_COLUMN: 'table',
  OBJECT_TABCONSTRAINT: 'table',
}

export function objectKindOf(type: string | undefined): ObjectKind {
  return OBJECT_KINDS[type ?? ''] ?? 'other'
}

/** `OBJECT_TS_CONFIG` → `TS CONFIG`; the grammar's one-word forms get their usual spelling. */
export function objectWords(type: string | undefined): string {
  const words = (type ?? '').replace(/^OBJECT_/, '')
  return SPELLED[words] ?? words.replaceAll('_', ' ')
}

const SPELLED: Readonly<Record<string, string>> = {
  MATVIEW: 'MATERIALIZED VIEW',
  FDW: 'FOREIGN DATA WRAPPER',
  FOREIGN_SERVER: 'SERVER',
  OPCLASS: 'OPERATOR CLASS',
  OPFAMILY: 'OPERATOR FAMILY',
  STATISTIC_EXT: 'STATISTICS',
  TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  TSPARSER: 'TEXT SEARCH PARSER',
  TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
  TABCONSTRAINT: 'CONSTRAINT',
  DOMCONSTRAINT: 'CONSTRAINT',
  ATTRIBUTE: 'ATTRIBUTE',
  LARGEOBJECT: 'LARGE OBJECT',
}

/** Kinds whose name in a DROP or COMMENT list is `table.name`: the table is what changes. */
const BELONGS_TO_TABLE = new Set([
  'OBJECT_TRIGGER',
  'OBJECT_POLICY',
  'OBJECT_RULE',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_COLUMN',
])

export function isPartOfTable(type: string | undefined): boolean {
  return BELONGS_TO_TABLE.has(type ?? '')
}

/** The name of an object node; for a part of a table, the table's name. */
export function writtenObject(node: Node | undefined, type: string | undefined): WrittenName | undefined {
  const parts = partsOf(node)
  if (parts.length === 0) return undefined
  return nameFrom(isPartOfTable(type) ? parts.slice(0, -1) : parts)
}

function partsOf(node: Node | undefined): readonly string[] {
  const single = textOf(node)
  if (single !== undefined) return [single]
  const list = fieldsOf(node, 'List')
  if (list !== undefined) return textsOf(list.items)
  const type = fieldsOf(node, 'TypeName')
  if (type !== undefined) return textsOf(type.names)
  const routine = fieldsOf(node, 'ObjectWithArgs')
  if (routine !== undefined) return textsOf(routine.objname)
  const role = fieldsOf(node, 'RoleSpec')
  if (role !== undefined) return [role.rolename ?? '']
  const range = fieldsOf(node, 'RangeVar')
  if (range === undefined) return []
  const name = relationOf(range)
  return [name.catalog, name.schema, name.name].filter((part) => part !== undefined)
}
