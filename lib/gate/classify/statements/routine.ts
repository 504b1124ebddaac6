/** Functions, procedures, DO, triggers and rules: code that runs now, or that others will run. */
import type {
  CallStmt,
  CreateFunctionStmt,
  CreateTrigStmt,
  DoStmt,
  Node,
  PLAssignStmt,
  ReturnStmt,
  RuleStmt,
} from 'libpg-query'
import { visitBody } from '../bodies.ts'
import { addTarget, raise, type Walk } from '../facts.ts'
import { innerScope } from '../scope.ts'
import { type Fields, fieldsOf, nameFrom, relationOf, textOf, textsOf } from '../tree/node.ts'
import { visit, visitAll, visitCall, visitChildren } from '../walk.ts'
import { inTable } from './create.ts'
import { entry, type Judgement } from './entry.ts'

export const ROUTINE_STATEMENTS = {
  CreateFunctionStmt: entry<CreateFunctionStmt>('HIGH', 'CREATE FUNCTION', 'adds or replaces code that others run', {
    targets: 'the function as `create`; what its body writes, as not destroyed yet',
    details:
      'the body is read as SQL or PL/pgSQL and counts with its level; CRITICAL for SECURITY DEFINER, for bodies in another language and for dynamic SQL',
    judge: judgeFunction,
    walk: visitFunction,
  }),
  DoStmt: entry<DoStmt>('HIGH', 'DO', 'runs a block of code', {
    targets: 'those of the body',
    details: 'the body is read and counts with its level; CRITICAL for dynamic SQL and for other languages',
    walk: visitDo,
  }),
  CallStmt: entry<CallStmt>('HIGH', 'CALL', 'runs a procedure, which may commit by itself', {
    targets: 'none; the procedure is among the functions',
    walk: ({ funccall }, walk) => visitCall(funccall ?? {}, 'procedure', walk),
  }),
  CreateTrigStmt: entry<CreateTrigStmt>('HIGH', 'CREATE TRIGGER', 'adds code to every later write', {
    targets: 'the table as `alter`',
    judge: ({ relation, funcname }, walk) => {
      addTarget(walk, relationOf(relation ?? {}), 'alter')
      walk.facts.functions.push({ ...nameFrom(textsOf(funcname)), argumentCount: 0, form: 'default' })
      return undefined
    },
    walk: (trigger, walk) => {
      const scope = innerScope(walk.scope)
      const relations = [relationOf(trigger.relation ?? {})]
      scope.ranges.push({ alias: 'old', relations }, { alias: 'new', relations })
      visit(trigger.whenClause, { ...walk, scope })
      if (trigger.constrrel !== undefined) addTarget(walk, relationOf(trigger.constrrel), 'read')
    },
  }),
  RuleStmt: entry<RuleStmt>('CRITICAL', 'CREATE RULE', 'rewrites later statements on the relation', {
    targets: 'the relation as `alter`; those of the actions, as not destroyed yet',
    judge: ({ relation }, walk) => {
      addTarget(walk, relationOf(relation ?? {}), 'alter')
      return undefined
    },
    walk: (rule, walk) => {
      const inside = inTable(rule.relation, stored(walk))
      const relations = [relationOf(rule.relation ?? {})]
      inside.scope.ranges.push({ alias: 'old', relations }, { alias: 'new', relations })
      visit(rule.whereClause, inside)
      visitAll(rule.actions, inside)
    },
  }),
  ReturnStmt: entry<ReturnStmt>('SAFE', 'RETURN', 'the value of a function body'),
  PLAssignStmt: entry<PLAssignStmt>('SAFE', 'ASSIGN', 'an assignment in a function body'),
}

function stored(walk: Walk): Walk {
  return walk.fate === 'executed' ? { ...walk, fate: 'stored' } : walk
}

function optionOf(options: readonly Node[] | undefined, name: string): Node | undefined {
  for (const node of options ?? []) {
    const option = fieldsOf(node, 'DefElem')
    if (option?.defname === name) return option.arg
  }
  return undefined
}

function hasFlag(options: readonly Node[] | undefined, name: string): boolean {
  return fieldsOf(optionOf(options, name), 'Boolean')?.boolval === true
}

function judgeFunction(create: CreateFunctionStmt, walk: Walk): Judgement {
  const object = nameFrom(textsOf(create.funcname))
  addTarget(walk, object, 'create', { objectKind: 'function' })
  if (hasFlag(create.options, 'security')) {
    raise(walk, 'security-definer', 'CRITICAL', 'SECURITY DEFINER runs the function with the rights of its owner')
  }
  if (hasFlag(create.options, 'leakproof')) {
    raise(walk, 'leakproof', 'CRITICAL', 'LEAKPROOF lets the function see rows that row-level security hides')
  }
  const isTemporary = object.schema?.startsWith('pg_temp') === true
  return {
    operation: create.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION',
    ...(isTemporary ? { transaction: 'never' as const } : {}),
  }
}

const READ_HERE = new Set(['funcname', 'options', 'sql_body'])

function visitFunction(create: CreateFunctionStmt, walk: Walk): void {
  visitChildren('CreateFunctionStmt', create as Fields, walk, READ_HERE)
  const inside = stored(walk)
  if (create.sql_body !== undefined) {
    visit(create.sql_body, inside)
    return
  }
  const language = textOf(optionOf(create.options, 'language')) ?? 'sql'
  const parts = textsOf(fieldsOf(optionOf(create.options, 'as'), 'List')?.items)
  visitBody({ language, text: parts[0] ?? '', isRoutine: true }, inside)
}

function visitDo(block: DoStmt, walk: Walk): void {
  const language = textOf(optionOf(block.args, 'language')) ?? 'plpgsql'
  visitBody({ language, text: textOf(optionOf(block.args, 'as')) ?? '', isRoutine: false }, walk)
}
