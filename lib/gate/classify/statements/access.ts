/** Roles, rights, policies and labels: who may do what. */
import type {
  AlterDefaultPrivilegesStmt,
  AlterPolicyStmt,
  AlterRoleSetStmt,
  AlterRoleStmt,
  CreatePolicyStmt,
  CreateRoleStmt,
  GrantRoleStmt,
  GrantStmt,
  Node,
  RangeVar,
  ReassignOwnedStmt,
  SecLabelStmt,
} from 'libpg-query'
import { addTarget, type Walk } from '../facts.ts'
import { type Fields, fieldsOf, relationOf } from '../tree/node.ts'
import { visitChildren } from '../walk.ts'
import { inTable } from './create.ts'
import { entry, type Judgement } from './entry.ts'
import { objectKindOf, objectWords, writtenObject } from './object-names.ts'

const TABLE = new Set(['table'])

export const ACCESS_STATEMENTS = {
  GrantStmt: entry<GrantStmt>('HIGH', 'GRANT', 'changes rights', {
    targets: 'every named object as `grant`',
    details:
      'operation REVOKE for REVOKE; CRITICAL for rights on server parameters, languages, servers and foreign-data wrappers',
    judge: judgeGrant,
    owned: ['objects'],
  }),
  GrantRoleStmt: entry<GrantRoleStmt>('CRITICAL', 'GRANT ROLE', 'changes who belongs to a role', {
    targets: 'every role',
    judge: ({ granted_roles = [], is_grant }, walk) => {
      for (const node of granted_roles) {
        addTarget(walk, { name: fieldsOf(node, 'AccessPriv')?.priv_name ?? '' }, 'grant', { objectKind: 'role' })
      }
      return { operation: is_grant === true ? 'GRANT ROLE' : 'REVOKE ROLE' }
    },
  }),
  AlterDefaultPrivilegesStmt: entry<AlterDefaultPrivilegesStmt>(
    'HIGH',
    'ALTER DEFAULT PRIVILEGES',
    'changes the rights of objects that come later',
    { walk: () => undefined },
  ),
  CreateRoleStmt: entry<CreateRoleStmt>('HIGH', 'CREATE ROLE', 'adds a role', {
    targets: 'the role as `create`',
    details: 'CRITICAL with SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS or membership in another role',
    judge: judgeCreateRole,
  }),
  AlterRoleStmt: entry<AlterRoleStmt>('CRITICAL', 'ALTER ROLE', 'changes what a role may do', {
    targets: 'the role as `alter`',
    judge: ({ role }, walk) => alterRole(role?.rolename, walk),
  }),
  AlterRoleSetStmt: entry<AlterRoleSetStmt>('CRITICAL', 'ALTER ROLE SET', 'changes settings of later sessions', {
    targets: 'the role as `alter`',
    judge: ({ role }, walk) => alterRole(role?.rolename, walk),
    owned: ['setstmt'],
  }),
  ReassignOwnedStmt: entry<ReassignOwnedStmt>('CRITICAL', 'REASSIGN OWNED', 'gives away everything that a role owns', {
    targets: 'every role as `alter`',
    judge: ({ roles = [] }, walk) => {
      for (const node of roles) alterRole(fieldsOf(node, 'RoleSpec')?.rolename, walk)
      return undefined
    },
  }),
  CreatePolicyStmt: entry<CreatePolicyStmt>('HIGH', 'CREATE POLICY', 'changes which rows roles see', {
    targets: 'the table as `alter`',
    judge: ({ table }, walk) => alterTable(table, walk),
    walk: (policy, walk) =>
      visitChildren('CreatePolicyStmt', policy as Fields, inTable(policy.table, stored(walk)), TABLE),
  }),
  AlterPolicyStmt: entry<AlterPolicyStmt>('CRITICAL', 'ALTER POLICY', 'replaces a rule for which rows roles see', {
    targets: 'the table as `alter`',
    judge: ({ table }, walk) => alterTable(table, walk),
    walk: (policy, walk) =>
      visitChildren('AlterPolicyStmt', policy as Fields, inTable(policy.table, stored(walk)), TABLE),
  }),
  SecLabelStmt: entry<SecLabelStmt>('CRITICAL', 'SECURITY LABEL', 'changes what a security module enforces', {
    targets: 'the object as `alter`',
    judge: ({ objtype, object }, walk) => {
      const name = writtenObject(object, objtype)
      if (name !== undefined) addTarget(walk, name, 'alter', { objectKind: objectKindOf(objtype) })
      return undefined
    },
    owned: ['object'],
  }),
}

function stored(walk: Walk): Walk {
  return walk.fate === 'executed' ? { ...walk, fate: 'stored' } : walk
}

function alterRole(name: string | undefined, walk: Walk): undefined {
  addTarget(walk, { name: name ?? 'current_user' }, 'alter', { objectKind: 'role' })
  return undefined
}

function alterTable(table: RangeVar | undefined, walk: Walk): undefined {
  if (table !== undefined) addTarget(walk, relationOf(table), 'alter')
  return undefined
}

const FAR_REACHING = new Set(['OBJECT_PARAMETER_ACL', 'OBJECT_LANGUAGE', 'OBJECT_FDW', 'OBJECT_FOREIGN_SERVER'])

function judgeGrant(grant: GrantStmt, walk: Walk): Judgement {
  const type = grant.targtype === 'ACL_TARGET_ALL_IN_SCHEMA' ? 'OBJECT_SCHEMA' : grant.objtype
  for (const node of grant.objects ?? []) noteGranted(node, type, walk)
  const operation = grant.is_grant === true ? 'GRANT' : 'REVOKE'
  if (!FAR_REACHING.has(grant.objtype ?? '')) return { operation, code: operation.toLowerCase() }
  const message = `${operation} on ${objectWords(grant.objtype)} opens or closes a way around the database's own rights`
  return { operation, code: operation.toLowerCase(), level: 'CRITICAL', message }
}

function noteGranted(node: Node, type: string | undefined, walk: Walk): void {
  const name = writtenObject(node, type)
  if (name !== undefined) addTarget(walk, name, 'grant', { objectKind: objectKindOf(type) })
}

const POWERS = new Set(['superuser', 'createrole', 'createdb', 'isreplication', 'bypassrls'])
const MEMBERSHIPS = new Set(['addroleto', 'rolemembers', 'adminmembers'])

function judgeCreateRole(create: CreateRoleStmt, walk: Walk): Judgement | undefined {
  addTarget(walk, { name: create.role ?? '' }, 'create', { objectKind: 'role' })
  const options = (create.options ?? []).map((node) => fieldsOf(node, 'DefElem'))
  const isPowerful = options.some(
    (option) => POWERS.has(option?.defname ?? '') && fieldsOf(option?.arg, 'Boolean')?.boolval === true,
  )
  const isMember = options.some((option) => MEMBERSHIPS.has(option?.defname ?? ''))
  if (!isPowerful && !isMember) return undefined
  return { level: 'CRITICAL', message: 'the new role can do more than read and write what it is granted' }
}
