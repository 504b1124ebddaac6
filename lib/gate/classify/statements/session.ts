/** What would change the session that the next caller gets: settings, transactions, cursors, prepared statements, channels. */
import type {
  ClosePortalStmt,
  ConstraintsSetStmt,
  DeallocateStmt,
  DeclareCursorStmt,
  DiscardStmt,
  ExecuteStmt,
  FetchStmt,
  ListenStmt,
  LockStmt,
  NotifyStmt,
  PrepareStmt,
  TransactionStmt,
  UnlistenStmt,
  VariableSetStmt,
  VariableShowStmt,
} from 'libpg-query'
import { addTarget, type Walk } from '../facts.ts'
import { fieldsOf, relationOf } from '../tree/node.ts'
import { entry, type Judgement } from './entry.ts'

const never = { transaction: 'never' } as const

export const SESSION_STATEMENTS = {
  VariableShowStmt: entry<VariableShowStmt>('SAFE', 'SHOW', 'reads a setting'),
  VariableSetStmt: entry<VariableSetStmt>('HIGH', 'SET', 'changes a setting of the session', {
    ...never,
    details: 'operation RESET for RESET; CRITICAL for roles, search_path, row_security and what switches guards off',
    judge: judgeSet,
  }),
  TransactionStmt: entry<TransactionStmt>('HIGH', 'TRANSACTION', 'begins or ends a transaction of its own', {
    ...never,
    details: 'CRITICAL for prepared transactions, which outlive the session',
    judge: judgeTransaction,
  }),
  ConstraintsSetStmt: entry<ConstraintsSetStmt>('HIGH', 'SET CONSTRAINTS', 'changes when constraints are checked', {
    ...never,
    owned: ['constraints'],
  }),
  PrepareStmt: entry<PrepareStmt>('HIGH', 'PREPARE', 'keeps a statement in the session', {
    ...never,
    targets: 'those of the statement',
  }),
  ExecuteStmt: entry<ExecuteStmt>('CRITICAL', 'EXECUTE', 'runs a statement that is not shown here', {
    ...never,
    recoverability: 'impossible',
  }),
  DeallocateStmt: entry<DeallocateStmt>('HIGH', 'DEALLOCATE', 'removes a prepared statement of the session', never),
  DeclareCursorStmt: entry<DeclareCursorStmt>(
    'HIGH',
    'DECLARE CURSOR',
    'opens a cursor that no later statement reaches',
    {
      ...never,
      targets: 'those of the query',
    },
  ),
  FetchStmt: entry<FetchStmt>('HIGH', 'FETCH', 'reads a cursor, and no cursor outlives a statement here', {
    ...never,
    judge: ({ ismove }) => (ismove === true ? { operation: 'MOVE', code: 'move' } : undefined),
  }),
  ClosePortalStmt: entry<ClosePortalStmt>('HIGH', 'CLOSE', 'closes a cursor of the session', never),
  ListenStmt: entry<ListenStmt>('HIGH', 'LISTEN', 'subscribes the session to a channel', never),
  UnlistenStmt: entry<UnlistenStmt>('HIGH', 'UNLISTEN', 'unsubscribes the session from a channel', never),
  NotifyStmt: entry<NotifyStmt>('HIGH', 'NOTIFY', 'sends a notification to other sessions'),
  DiscardStmt: entry<DiscardStmt>('HIGH', 'DISCARD', 'resets parts of the session', never),
  LockStmt: entry<LockStmt>('HIGH', 'LOCK TABLE', 'takes a lock that other sessions wait for', {
    targets: 'every table as `lock`',
    judge: ({ relations = [] }, walk) => noteLocked(relations, walk),
    owned: ['relations'],
  }),
}

function noteLocked(relations: NonNullable<LockStmt['relations']>, walk: Walk): undefined {
  for (const node of relations) {
    const table = fieldsOf(node, 'RangeVar')
    if (table !== undefined) addTarget(walk, relationOf(table), 'lock', { isOnly: table.inh !== true })
  }
  return undefined
}

/** Settings that decide who acts, on what, and which guards hold. */
const GUARDING = new Set([
  'role',
  'session_authorization',
  'search_path',
  'row_security',
  'session_replication_role',
  'default_transaction_read_only',
  'transaction_read_only',
  'statement_timeout',
  'lock_timeout',
  'check_function_bodies',
])
const TRANSACTION_MODES: Readonly<Record<string, string>> = {
  TRANSACTION: 'SET TRANSACTION',
  'SESSION CHARACTERISTICS': 'SET SESSION CHARACTERISTICS',
  'TRANSACTION SNAPSHOT': 'SET TRANSACTION',
}
const NAMED: Readonly<Record<string, string>> = { role: 'ROLE', session_authorization: 'SESSION AUTHORIZATION' }

function judgeSet(set: VariableSetStmt): Judgement {
  const name = set.name ?? ''
  if (set.kind === 'VAR_SET_MULTI')
    return { operation: TRANSACTION_MODES[name] ?? 'SET', level: 'CRITICAL', code: 'set' }
  const isReset = set.kind === 'VAR_RESET' || set.kind === 'VAR_RESET_ALL'
  const verb = isReset ? 'RESET' : 'SET'
  const word = NAMED[name]
  return {
    operation: word === undefined ? verb : `${verb} ${word}`,
    code: verb.toLowerCase(),
    ...(GUARDING.has(name.toLowerCase())
      ? {
          level: 'CRITICAL' as const,
          message: `${verb} ${name.toLowerCase()} changes who acts, on what, or under which guard`,
        }
      : {}),
  }
}

const TRANSACTION_WORDS: Readonly<Record<string, string>> = {
  TRANS_STMT_BEGIN: 'BEGIN',
  TRANS_STMT_START: 'START TRANSACTION',
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_SAVEPOINT: 'SAVEPOINT',
  TRANS_STMT_RELEASE: 'RELEASE',
  TRANS_STMT_ROLLBACK_TO: 'ROLLBACK TO SAVEPOINT',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION',
  TRANS_STMT_COMMIT_PREPARED: 'COMMIT PREPARED',
  TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
}

function judgeTransaction({ kind = 'TRANS_STMT_BEGIN' }: TransactionStmt): Judgement {
  const operation = TRANSACTION_WORDS[kind] ?? 'TRANSACTION'
  const isPrepared = operation.includes('PREPARE')
  return { operation, code: 'transaction-control', level: isPrepared ? 'CRITICAL' : 'HIGH' }
}
