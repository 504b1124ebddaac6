/** The server and what lies outside the database: settings, extensions, other servers, replication, storage. */
import type {
  AlterDatabaseRefreshCollStmt,
  AlterDatabaseSetStmt,
  AlterDatabaseStmt,
  AlterEventTrigStmt,
  AlterExtensionContentsStmt,
  AlterExtensionStmt,
  AlterFdwStmt,
  AlterForeignServerStmt,
  AlterPublicationStmt,
  AlterSubscriptionStmt,
  AlterSystemStmt,
  AlterTableSpaceOptionsStmt,
  AlterUserMappingStmt,
  CheckPointStmt,
  CreateAmStmt,
  CreatedbStmt,
  CreateEventTrigStmt,
  CreateExtensionStmt,
  CreateFdwStmt,
  CreateForeignServerStmt,
  CreatePLangStmt,
  CreatePublicationStmt,
  CreateSubscriptionStmt,
  CreateTableSpaceStmt,
  CreateUserMappingStmt,
  ImportForeignSchemaStmt,
  LoadStmt,
} from 'libpg-query'
import { addTarget, type Walk } from '../facts.ts'
import type { Access, ObjectKind } from '../model.ts'
import { fieldsOf } from '../tree/node.ts'
import { entry, type Judgement } from './entry.ts'

/** Extensions that PostgreSQL marks as trusted: they open no files, programs or connections. */
export const TRUSTED_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    'btree_gin btree_gist citext cube dict_int fuzzystrmatch hstore intarray isn lo ltree pg_trgm pgcrypto plpgsql seg ' +
    'tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp vector'
  ).split(' '),
)

export const SERVER_STATEMENTS = {
  AlterSystemStmt: entry<AlterSystemStmt>('CRITICAL', 'ALTER SYSTEM', 'changes the configuration of the whole server', {
    transaction: 'outside',
    owned: ['setstmt'],
  }),
  CreatedbStmt: entry<CreatedbStmt>('HIGH', 'CREATE DATABASE', 'adds a database', {
    transaction: 'outside',
    targets: 'the database as `create`',
    judge: ({ dbname }, walk) => note(dbname, 'create', 'database', walk),
  }),
  AlterDatabaseStmt: entry<AlterDatabaseStmt>('CRITICAL', 'ALTER DATABASE', 'changes a whole database', {
    targets: 'the database as `alter`',
    details: 'SET TABLESPACE runs outside a transaction',
    judge: ({ dbname, options = [] }, walk) => {
      note(dbname, 'alter', 'database', walk)
      const moves = options.some((node) => fieldsOf(node, 'DefElem')?.defname === 'tablespace')
      return moves ? { transaction: 'outside' } : undefined
    },
  }),
  AlterDatabaseSetStmt: entry<AlterDatabaseSetStmt>(
    'CRITICAL',
    'ALTER DATABASE',
    'changes settings of later sessions',
    {
      targets: 'the database as `alter`',
      judge: ({ dbname }, walk) => note(dbname, 'alter', 'database', walk),
      owned: ['setstmt'],
    },
  ),
  AlterDatabaseRefreshCollStmt: entry<AlterDatabaseRefreshCollStmt>(
    'CRITICAL',
    'ALTER DATABASE',
    'accepts another version of the collation without rebuilding indexes',
    { targets: 'the database as `alter`', judge: ({ dbname }, walk) => note(dbname, 'alter', 'database', walk) },
  ),
  CreateTableSpaceStmt: entry<CreateTableSpaceStmt>('CRITICAL', 'CREATE TABLESPACE', 'uses a folder of the server', {
    transaction: 'outside',
    targets: 'the tablespace as `create`',
    judge: ({ tablespacename }, walk) => note(tablespacename, 'create', 'other', walk),
  }),
  AlterTableSpaceOptionsStmt: entry<AlterTableSpaceOptionsStmt>('HIGH', 'ALTER TABLESPACE', 'changes cost settings', {
    targets: 'the tablespace as `alter`',
    judge: ({ tablespacename }, walk) => note(tablespacename, 'alter', 'other', walk),
  }),
  CheckPointStmt: entry<CheckPointStmt>('HIGH', 'CHECKPOINT', 'makes the server write everything out at once'),
  LoadStmt: entry<LoadStmt>('CRITICAL', 'LOAD', 'loads a library into the server', { transaction: 'never' }),
  CreateExtensionStmt: entry<CreateExtensionStmt>(
    'CRITICAL',
    'CREATE EXTENSION',
    'may add code that leaves the database',
    {
      targets: 'the extension as `create`',
      details: 'HIGH for the extensions that PostgreSQL marks as trusted',
      judge: judgeExtension,
    },
  ),
  AlterExtensionStmt: entry<AlterExtensionStmt>('CRITICAL', 'ALTER EXTENSION', 'runs an update script', {
    targets: 'the extension as `alter`',
    judge: ({ extname }, walk) => note(extname, 'alter', 'extension', walk),
  }),
  AlterExtensionContentsStmt: entry<AlterExtensionContentsStmt>(
    'CRITICAL',
    'ALTER EXTENSION',
    'changes what belongs to it',
    {
      targets: 'the extension as `alter`',
      judge: ({ extname }, walk) => note(extname, 'alter', 'extension', walk),
      owned: ['object'],
    },
  ),
  CreatePLangStmt: entry<CreatePLangStmt>('CRITICAL', 'CREATE LANGUAGE', 'adds a language for functions'),
  CreateAmStmt: entry<CreateAmStmt>('CRITICAL', 'CREATE ACCESS METHOD', 'adds code that stores or finds rows'),
  CreateEventTrigStmt: entry<CreateEventTrigStmt>('CRITICAL', 'CREATE EVENT TRIGGER', 'adds code to every later DDL'),
  AlterEventTrigStmt: entry<AlterEventTrigStmt>('CRITICAL', 'ALTER EVENT TRIGGER', 'changes code of every later DDL'),
  CreateFdwStmt: entry<CreateFdwStmt>('CRITICAL', 'CREATE FOREIGN DATA WRAPPER', 'adds a way out of the database'),
  AlterFdwStmt: entry<AlterFdwStmt>('CRITICAL', 'ALTER FOREIGN DATA WRAPPER', 'changes a way out of the database'),
  CreateForeignServerStmt: entry<CreateForeignServerStmt>('CRITICAL', 'CREATE SERVER', 'adds a way to another server', {
    targets: 'the server as `create`',
    judge: ({ servername }, walk) => note(servername, 'create', 'other', walk),
  }),
  AlterForeignServerStmt: entry<AlterForeignServerStmt>(
    'CRITICAL',
    'ALTER SERVER',
    'changes where foreign tables lead',
    {
      targets: 'the server as `alter`',
      judge: ({ servername }, walk) => note(servername, 'alter', 'other', walk),
    },
  ),
  CreateUserMappingStmt: entry<CreateUserMappingStmt>('CRITICAL', 'CREATE USER MAPPING', 'stores credentials'),
  AlterUserMappingStmt: entry<AlterUserMappingStmt>('CRITICAL', 'ALTER USER MAPPING', 'stores credentials'),
  ImportForeignSchemaStmt: entry<ImportForeignSchemaStmt>(
    'CRITICAL',
    'IMPORT FOREIGN SCHEMA',
    'adds whatever is there',
    {
      targets: 'the local schema as `alter`',
      judge: ({ local_schema }, walk) => note(local_schema, 'alter', 'schema', walk),
      owned: ['table_list'],
    },
  ),
  CreatePublicationStmt: entry<CreatePublicationStmt>('HIGH', 'CREATE PUBLICATION', 'sends changes to subscribers', {
    targets: 'the publication as `create`, its tables as `read`',
    judge: ({ pubname }, walk) => note(pubname, 'create', 'other', walk),
  }),
  AlterPublicationStmt: entry<AlterPublicationStmt>('HIGH', 'ALTER PUBLICATION', 'changes what subscribers get', {
    targets: 'the publication as `alter`, its tables as `read`',
    judge: ({ pubname }, walk) => note(pubname, 'alter', 'other', walk),
  }),
  CreateSubscriptionStmt: entry<CreateSubscriptionStmt>(
    'CRITICAL',
    'CREATE SUBSCRIPTION',
    'lets another server write here',
    {
      transaction: 'outside',
      targets: 'the subscription as `create`',
      details: 'inside a transaction when it makes no slot',
      judge: judgeSubscription,
    },
  ),
  AlterSubscriptionStmt: entry<AlterSubscriptionStmt>(
    'CRITICAL',
    'ALTER SUBSCRIPTION',
    'changes what another server writes here',
    {
      transaction: 'outside',
      targets: 'the subscription as `alter`',
      judge: ({ subname }, walk) => note(subname, 'alter', 'other', walk),
    },
  ),
}

function note(name: string | undefined, access: Access, objectKind: ObjectKind, walk: Walk): undefined {
  if (name !== undefined) addTarget(walk, { name }, access, { objectKind })
  return undefined
}

function judgeExtension(create: CreateExtensionStmt, walk: Walk): Judgement | undefined {
  note(create.extname, 'create', 'extension', walk)
  const isTrusted = TRUSTED_EXTENSIONS.has(create.extname ?? '')
  const cascades = (create.options ?? []).some((node) => fieldsOf(node, 'DefElem')?.defname === 'cascade')
  return isTrusted && !cascades ? { level: 'HIGH', message: 'adds the objects of a trusted extension' } : undefined
}

function judgeSubscription(create: CreateSubscriptionStmt, walk: Walk): Judgement | undefined {
  note(create.subname, 'create', 'other', walk)
  const options = (create.options ?? []).map((node) => fieldsOf(node, 'DefElem'))
  const isWithoutSlot = options.some(
    (option) =>
      (option?.defname === 'create_slot' || option?.defname === 'connect') &&
      /^(false|off|0)$/i.test(fieldsOf(option.arg, 'String')?.sval ?? ''),
  )
  return isWithoutSlot ? { transaction: 'write' } : undefined
}
