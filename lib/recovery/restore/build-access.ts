/** SQL of triggers, row-level security, comments, grants and ownership. */
import type { RelationName } from '#lib/kernel/index.ts'
import { quoteIdentifier, quoteLiteral, quoteRelation } from '#lib/kernel/index.ts'
import type {
  ColumnDefinition,
  GrantDefinition,
  PolicyDefinition,
  TableDefinition,
  TriggerDefinition,
} from '../manifest/index.ts'
import type { NotRebuilt, RestoreStatement } from './model.ts'
import { derivedName } from './names.ts'

const FIRING_VERBS = {
  disabled: 'DISABLE',
  replica: 'ENABLE REPLICA',
  always: 'ENABLE ALWAYS',
  origin: 'ENABLE',
} as const

export function buildTriggers(target: RelationName, triggers: readonly TriggerDefinition[]) {
  const statements: RestoreStatement[] = []
  const notRebuilt: NotRebuilt[] = []
  for (const trigger of triggers) {
    const subject = `trigger ${trigger.name}`
    if (trigger.isInherited === true) {
      notRebuilt.push({ subject, reason: 'it comes with the partitioned table above' })
      continue
    }
    if (trigger.head === null || trigger.tail === null) {
      notRebuilt.push({ subject, reason: 'its definition has an unknown form' })
      continue
    }
    const create = `${trigger.head}${quoteRelation(target)} ${trigger.tail}`
    const firing = trigger.firing === 'origin' ? '' : `; ${buildFiring(target, trigger.name, trigger.firing)}`
    statements.push({ subject, sql: `${create}${firing}` })
  }
  return { statements, notRebuilt }
}

/** `ALTER TABLE … ENABLE TRIGGER …` for a state of firing; rules have the same. */
export function buildFiring(
  table: RelationName,
  name: string,
  firing: TriggerDefinition['firing'],
  kind: 'TRIGGER' | 'RULE' = 'TRIGGER',
): string {
  return `ALTER TABLE ${quoteRelation(table)} ${FIRING_VERBS[firing]} ${kind} ${quoteIdentifier(name)}`
}

export function buildRowSecurity(target: RelationName, definition: TableDefinition): RestoreStatement[] {
  const alter = `ALTER TABLE ${quoteRelation(target)}`
  const subject = 'row-level security'
  const statements = definition.policies.map((policy) => ({
    subject: `policy ${policy.name}`,
    sql: buildPolicy(target, policy),
  }))
  if (definition.rowSecurity === 'off') return statements
  const enable = `${alter} ENABLE ROW LEVEL SECURITY`
  const force = definition.rowSecurity === 'forced' ? `; ${alter} FORCE ROW LEVEL SECURITY` : ''
  return [...statements, { subject, sql: `${enable}${force}` }]
}

export function buildPolicy(target: RelationName, policy: PolicyDefinition): string {
  const roles = policy.roles.map(quoteRole).join(', ')
  const using = policy.using === null ? '' : ` USING (${policy.using})`
  const check = policy.withCheck === null ? '' : ` WITH CHECK (${policy.withCheck})`
  const kind = policy.isPermissive ? 'PERMISSIVE' : 'RESTRICTIVE'
  return `CREATE POLICY ${quoteIdentifier(policy.name)} ON ${quoteRelation(target)} AS ${kind} FOR ${policy.command} TO ${roles}${using}${check}`
}

export function buildColumnComment(target: RelationName, { name, comment }: ColumnDefinition): RestoreStatement[] {
  if (comment === null) return []
  const column = `${quoteRelation(target)}.${quoteIdentifier(name)}`
  return [{ subject: `comment on column ${name}`, sql: `COMMENT ON COLUMN ${column} IS ${quoteLiteral(comment)}` }]
}

/** Its owner has every right anyway. */
export function buildColumnGrants(target: RelationName, column: ColumnDefinition, owner: string): RestoreStatement[] {
  return column.grants
    .filter(({ grantee }) => grantee !== owner)
    .map((grant) => buildGrant(grant, ` (${quoteIdentifier(column.name)})`, quoteRelation(target)))
}

/** Under its own name, on the table that its definition names. */
export function buildRule(
  table: RelationName,
  { name, definition, ...rule }: TableDefinition['rules'][number],
): string[] {
  const handle = `RULE ${quoteIdentifier(name)}`
  const firing = FIRING_VERBS[rule.firing ?? 'origin']
  const isPlain = firing === FIRING_VERBS.origin
  return [
    withoutSemicolon(definition),
    ...(isPlain ? [] : [`ALTER TABLE ${quoteRelation(table)} ${firing} ${handle}`]),
    ...commentOn(`${handle} ON ${quoteRelation(table)}`, rule.comment),
  ]
}

/** Under its own name, on the table that its definition names. */
export function buildStatistics(one: TableDefinition['statistics'][number]): string[] {
  const { name, schema, target, comment } = one
  if (schema === undefined) return [withoutSemicolon(one.definition)]
  const handle = `STATISTICS ${quoteRelation({ schema, name })}`
  return [
    withoutSemicolon(one.definition),
    ...(typeof target === 'number' ? [`ALTER ${handle} SET STATISTICS ${target}`] : []),
    ...commentOn(handle, comment),
  ]
}

function commentOn(what: string, text: string | null | undefined): string[] {
  return typeof text === 'string' ? [`COMMENT ON ${what} IS ${quoteLiteral(text)}`] : []
}

function withoutSemicolon(sql: string): string {
  return sql.trim().replace(/;$/, '')
}

export function buildComments(target: RelationName, definition: TableDefinition): RestoreStatement[] {
  const table = quoteRelation(target)
  const comment = (what: string, text: string | null, subject: string): RestoreStatement[] =>
    text === null ? [] : [{ subject: `comment on ${subject}`, sql: `COMMENT ON ${what} IS ${quoteLiteral(text)}` }]
  const inSchema = (name: string) => quoteRelation({ schema: target.schema, name: derivedName(target, name) })
  const plainIndexes = definition.indexes.filter((index) => index.constraint === null)
  return [
    ...comment(`TABLE ${table}`, definition.comment, 'table'),
    ...definition.columns.flatMap((column) => buildColumnComment(target, column)),
    ...definition.constraints.flatMap(({ name, kind, comment: text }) => {
      const isIndexed = kind === 'primary key' || kind === 'unique' || kind === 'exclusion'
      const constraint = quoteIdentifier(isIndexed ? derivedName(target, name) : name)
      return comment(`CONSTRAINT ${constraint} ON ${table}`, text, `constraint ${name}`)
    }),
    ...plainIndexes.flatMap(({ name, comment: text }) => comment(`INDEX ${inSchema(name)}`, text, `index ${name}`)),
    ...definition.triggers.flatMap(({ name, comment: text }) =>
      comment(`TRIGGER ${quoteIdentifier(name)} ON ${table}`, text, `trigger ${name}`),
    ),
    ...definition.policies.flatMap(({ name, comment: text }) =>
      comment(`POLICY ${quoteIdentifier(name)} ON ${table}`, text, `policy ${name}`),
    ),
  ]
}

/** Grants first, then the owner: afterwards the restoring role may no longer grant. */
export function buildOwnership(target: RelationName, definition: TableDefinition): RestoreStatement[] {
  const table = quoteRelation(target)
  const others = (grants: readonly GrantDefinition[]) => grants.filter((grant) => grant.grantee !== definition.owner)
  const tableGrants = others(definition.grants).map((grant) => buildGrant(grant, '', table))
  const columnGrants = definition.columns.flatMap((column) => buildColumnGrants(target, column, definition.owner))
  const owner = {
    subject: `owner ${definition.owner}`,
    sql: `ALTER TABLE ${table} OWNER TO ${quoteIdentifier(definition.owner)}`,
  }
  return [...tableGrants, ...columnGrants, owner]
}

function buildGrant(grant: GrantDefinition, columns: string, table: string): RestoreStatement {
  const option = grant.isGrantable ? ' WITH GRANT OPTION' : ''
  const sql = `GRANT ${grant.privilege}${columns} ON TABLE ${table} TO ${quoteRole(grant.grantee)}${option}`
  return { subject: `grant of ${grant.privilege} to ${grant.grantee || 'PUBLIC'}`, sql }
}

function quoteRole(role: string): string {
  return role === '' ? 'PUBLIC' : quoteIdentifier(role)
}
