/** ALTER of everything that is not a table: names, schemas, owners, options, values. */
import type {
  AlterCollationStmt,
  AlterDomainStmt,
  AlterEnumStmt,
  AlterFunctionStmt,
  AlterObjectDependsStmt,
  AlterObjectSchemaStmt,
  AlterOperatorStmt,
  AlterOpFamilyStmt,
  AlterOwnerStmt,
  AlterSeqStmt,
  AlterStatsStmt,
  AlterTSConfigurationStmt,
  AlterTSDictionaryStmt,
  AlterTypeStmt,
  CommentStmt,
  Node,
  ObjectType,
  RangeVar,
  RenameStmt,
} from 'libpg-query'
import { addColumn, addTarget, raise, type Walk } from '../facts.ts'
import { fieldsOf, nameFrom, relationOf, textsOf } from '../tree/node.ts'
import { entry, type Judgement } from './entry.ts'
import { isPartOfTable, objectKindOf, objectWords, writtenObject } from './object-names.ts'

const OBJECT = ['relation', 'object']

export const ALTER_OBJECT_STATEMENTS = {
  RenameStmt: entry<RenameStmt>('HIGH', 'RENAME', 'gives an object another name; what uses the old one breaks', {
    targets: 'the object as `alter`',
    details: 'CRITICAL for a database, schema or role',
    judge: judgeRename,
    owned: OBJECT,
  }),
  AlterObjectSchemaStmt: entry<AlterObjectSchemaStmt>('HIGH', 'SET SCHEMA', 'moves an object to another schema', {
    targets: 'the object as `alter`',
    details: 'CRITICAL for an extension',
    judge: (alter, walk) => judgeObject(alter.objectType, alter, walk, 'SET SCHEMA'),
    owned: OBJECT,
  }),
  AlterOwnerStmt: entry<AlterOwnerStmt>('HIGH', 'OWNER TO', 'gives an object another owner', {
    targets: 'the object as `alter`',
    details: 'CRITICAL for a database, schema, language, server, event trigger or publication',
    judge: (alter, walk) => judgeObject(alter.objectType, alter, walk, 'OWNER TO'),
    owned: OBJECT,
  }),
  AlterObjectDependsStmt: entry<AlterObjectDependsStmt>(
    'HIGH',
    'DEPENDS ON EXTENSION',
    'ties an object to an extension',
    {
      targets: 'the object as `alter`',
      judge: (alter, walk) => judgeObject(alter.objectType, alter, walk, 'DEPENDS ON EXTENSION'),
      owned: OBJECT,
    },
  ),
  CommentStmt: entry<CommentStmt>('HIGH', 'COMMENT', 'replaces a comment', {
    targets: 'the object as `alter`',
    judge: ({ objtype, object }, walk) => {
      alterObject(objtype, undefined, object, walk)
      return undefined
    },
    owned: OBJECT,
  }),
  AlterSeqStmt: entry<AlterSeqStmt>('HIGH', 'ALTER SEQUENCE', 'changes a sequence', {
    targets: 'the sequence as `alter`',
    judge: ({ sequence }, walk) => {
      addTarget(walk, relationOf(sequence ?? {}), 'alter', { objectKind: 'sequence' })
      return undefined
    },
    owned: ['sequence'],
  }),
  AlterDomainStmt: entry<AlterDomainStmt>('HIGH', 'ALTER DOMAIN', 'changes a type that columns use', {
    targets: 'the type as `alter`',
    details: 'CASCADE is CRITICAL',
    judge: ({ typeName, behavior }, walk) => {
      alterType(typeName, walk)
      if (behavior === 'DROP_CASCADE') raise(walk, 'cascade', 'CRITICAL', 'CASCADE removes whatever depends on it')
      return undefined
    },
  }),
  AlterEnumStmt: entry<AlterEnumStmt>('HIGH', 'ALTER TYPE', 'adds or renames a value of an enum', {
    targets: 'the type as `alter`',
    judge: ({ typeName }, walk) => alterType(typeName, walk),
  }),
  AlterTypeStmt: entry<AlterTypeStmt>('HIGH', 'ALTER TYPE', 'changes properties of a type', {
    targets: 'the type as `alter`',
    judge: ({ typeName }, walk) => alterType(typeName, walk),
  }),
  AlterFunctionStmt: entry<AlterFunctionStmt>('HIGH', 'ALTER FUNCTION', 'changes how a function runs', {
    targets: 'the function as `alter`',
    details: 'CRITICAL for SECURITY DEFINER and for LEAKPROOF',
    judge: judgeFunction,
    owned: ['func'],
  }),
  AlterOperatorStmt: entry<AlterOperatorStmt>('HIGH', 'ALTER OPERATOR', 'changes an operator', { owned: ['opername'] }),
  AlterOpFamilyStmt: entry<AlterOpFamilyStmt>('HIGH', 'ALTER OPERATOR FAMILY', 'changes an operator family'),
  AlterCollationStmt: entry<AlterCollationStmt>('HIGH', 'ALTER COLLATION', 'accepts another version of a collation'),
  AlterStatsStmt: entry<AlterStatsStmt>('HIGH', 'ALTER STATISTICS', 'changes a statistics target'),
  AlterTSDictionaryStmt: entry<AlterTSDictionaryStmt>(
    'HIGH',
    'ALTER TEXT SEARCH DICTIONARY',
    'changes how text is indexed',
  ),
  AlterTSConfigurationStmt: entry<AlterTSConfigurationStmt>(
    'HIGH',
    'ALTER TEXT SEARCH CONFIGURATION',
    'changes how text is indexed',
  ),
}

const FAR_REACHING = new Set<ObjectType>([
  'OBJECT_DATABASE',
  'OBJECT_SCHEMA',
  'OBJECT_ROLE',
  'OBJECT_EXTENSION',
  'OBJECT_LANGUAGE',
  'OBJECT_FDW',
  'OBJECT_FOREIGN_SERVER',
  'OBJECT_EVENT_TRIGGER',
  'OBJECT_PUBLICATION',
  'OBJECT_SUBSCRIPTION',
  'OBJECT_TABLESPACE',
  'OBJECT_RULE',
  'OBJECT_POLICY',
  'OBJECT_TRIGGER',
])

interface ObjectFields {
  readonly relation?: RangeVar
  readonly object?: Node
}

function judgeObject(type: ObjectType | undefined, fields: ObjectFields, walk: Walk, verb: string): Judgement {
  alterObject(type, fields.relation, fields.object, walk)
  const operation = `ALTER ${objectWords(type)}`
  const isFar = type !== undefined && FAR_REACHING.has(type)
  return {
    operation,
    message: `${operation} … ${verb} ${isFar ? 'changes rights or paths that much depends on' : 'changes an object'}`,
    ...(isFar ? { level: 'CRITICAL' as const } : {}),
  }
}

function alterObject(
  type: ObjectType | undefined,
  relation: RangeVar | undefined,
  object: Node | undefined,
  walk: Walk,
): void {
  const name = relation === undefined ? writtenObject(object, type) : relationOf(relation)
  if (name === undefined) return
  addTarget(walk, name, 'alter', { objectKind: isPartOfTable(type) ? 'table' : objectKindOf(type) })
}

function judgeRename(rename: RenameStmt, walk: Walk): Judgement {
  const isPart = rename.relation !== undefined && rename.subname !== undefined
  const type = isPart && rename.relationType !== undefined ? rename.relationType : rename.renameType
  if (rename.relation === undefined && rename.object === undefined && rename.subname !== undefined) {
    addTarget(walk, { name: rename.subname }, 'alter', { objectKind: objectKindOf(type) })
  }
  const judged = judgeObject(type, rename, walk, 'RENAME')
  if (rename.renameType === 'OBJECT_COLUMN' && rename.relation !== undefined && rename.subname !== undefined) {
    addColumn(walk, rename.subname, 'write', relationOf(rename.relation))
  }
  if (rename.behavior === 'DROP_CASCADE')
    raise(walk, 'cascade', 'HIGH', 'CASCADE renames the attribute in dependent tables')
  return { ...judged, code: 'rename' }
}

function alterType(names: readonly Node[] | undefined, walk: Walk): undefined {
  addTarget(walk, nameFrom(textsOf(names)), 'alter', { objectKind: 'type' })
  return undefined
}

function judgeFunction(alter: AlterFunctionStmt, walk: Walk): Judgement {
  const object = nameFrom(textsOf(alter.func?.objname))
  addTarget(walk, object, 'alter', { objectKind: 'function' })
  for (const node of alter.actions ?? []) {
    const action = fieldsOf(node, 'DefElem')
    const isOn = fieldsOf(action?.arg, 'Boolean')?.boolval === true
    if (action?.defname === 'security' && isOn) {
      raise(walk, 'security-definer', 'CRITICAL', 'SECURITY DEFINER runs the function with the rights of its owner')
    }
    if (action?.defname === 'leakproof' && isOn) {
      raise(walk, 'leakproof', 'CRITICAL', 'LEAKPROOF lets the function see rows that row-level security hides')
    }
  }
  return { operation: `ALTER ${objectWords(alter.objtype)}` }
}
