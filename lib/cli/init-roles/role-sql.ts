/** Builds the SQL that makes the two roles of a guarded database, each with no more than it needs. Pure. */
import { BackstopError, quoteIdentifier, quoteLiteral } from '#lib/kernel/index.ts'
import { AGENT_ROLE_MARK } from '#lib/recovery/index.ts'

export interface RoleOrder {
  readonly gatewayRole: string
  readonly agentRole: string
  readonly schemas: readonly string[]
  /** Agents read alone, whatever an operator approves. */
  readonly isReadOnly: boolean
  /** Owners of tables that approved statements may alter and drop. */
  readonly owners: readonly string[]
  /** The gateway's role may restore tables beside the originals. */
  readonly mayRestore: boolean
  /** The gateway reads every schema, those of the future too, and with them the catalog of password hashes. */
  readonly readsEverything: boolean
  /** Tables with row-level security can be captured. */
  readonly bypassesRowSecurity: boolean
}

export interface RoleSection {
  readonly title: string
  readonly statements: readonly string[]
}

const LONGEST_NAME_BYTES = 63

/** Throws USAGE_INVALID for names that PostgreSQL would cut or refuse, and for one role in two places. */
export function checkOrder(order: RoleOrder): RoleOrder {
  const roles = [order.gatewayRole, order.agentRole, ...order.owners]
  for (const name of [...roles, ...order.schemas]) {
    if (name === '' || name.includes('\0') || Buffer.byteLength(name) > LONGEST_NAME_BYTES) {
      throw new BackstopError('USAGE_INVALID', `a name has 1 to ${LONGEST_NAME_BYTES} bytes`)
    }
  }
  const reserved = roles.find((name) => name.startsWith('pg_') || ['public', 'none'].includes(name))
  if (reserved !== undefined)
    throw new BackstopError('USAGE_INVALID', `PostgreSQL keeps the name ${reserved} for itself`)
  if (new Set(roles).size < roles.length) {
    throw new BackstopError('USAGE_INVALID', 'the gateway, the agents and the owners are roles of their own')
  }
  if (order.schemas.length === 0) throw new BackstopError('USAGE_INVALID', 'name at least one schema')
  if (order.isReadOnly && order.owners.length > 0) {
    throw new BackstopError('USAGE_INVALID', '--owner lets agents alter and drop; it does not go with --read-only')
  }
  return order
}

export function buildRoleSql(order: RoleOrder): readonly RoleSection[] {
  return [agentSection(order), gatewaySection(order), ...order.schemas.map((schema) => schemaSection(order, schema))]
}

/** A tag for a dollar-quoted body that does not hold it. */
function inBlock(body: string, variables = ''): string {
  let tag = '$backstop$'
  for (let n = 1; body.includes(tag); n++) tag = `$backstop${n}$`
  const declared = variables === '' ? '' : `DECLARE ${variables} `
  return `DO ${tag} ${declared}BEGIN ${body} END ${tag}`
}

function createRole(name: string, login: 'LOGIN' | 'NOLOGIN'): string {
  return inBlock(
    `IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(name)}) THEN CREATE ROLE ${quoteIdentifier(name)} ${login}; END IF;`,
  )
}

function agentSection({ agentRole, owners }: RoleOrder): RoleSection {
  const agent = quoteIdentifier(agentRole)
  const note = `${AGENT_ROLE_MARK}: statements of agents run as it (BACKSTOP_AGENT_ROLE); nobody logs in with it`
  return {
    title: 'The role that statements of agents run as. It cannot log in, so that nobody gets past the gateway with it.',
    statements: [
      createRole(agentRole, 'NOLOGIN'),
      `ALTER ROLE ${agent} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS`,
      // The watch of the gateway finds the agents' roles by this.
      `COMMENT ON ROLE ${agent} IS ${quoteLiteral(note)}`,
      ...owners.map((owner) => `GRANT ${quoteIdentifier(owner)} TO ${agent}`),
    ],
  }
}

/** Not pg_read_all_data without need: it reads pg_authid too, where the hashes of all passwords are. */
function gatewaySection({ gatewayRole, agentRole, bypassesRowSecurity, readsEverything }: RoleOrder): RoleSection {
  const gateway = quoteIdentifier(gatewayRole)
  const onDatabase = `EXECUTE format('GRANT CONNECT, CREATE ON DATABASE %I TO %I', current_database(), ${quoteLiteral(gatewayRole)});`
  return {
    title:
      'The role that the gateway logs in with: it reads tables to capture them, sees every session to find those past the gate, makes the scratch of drills, and becomes the role of agents.',
    statements: [
      createRole(gatewayRole, 'LOGIN'),
      `ALTER ROLE ${gateway} LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION${bypassesRowSecurity ? ' BYPASSRLS' : ''}`,
      `COMMENT ON ROLE ${gateway} IS 'backstop gateway role: in the URL of BACKSTOP_DB_URL, and nowhere else'`,
      `GRANT ${readsEverything ? 'pg_read_all_data, ' : ''}pg_read_all_stats TO ${gateway}`,
      `GRANT ${quoteIdentifier(agentRole)} TO ${gateway}`,
      inBlock(onDatabase),
    ],
  }
}

function schemaSection(order: RoleOrder, name: string): RoleSection {
  const { isReadOnly, owners, mayRestore } = order
  const [schema, agent, gateway] = [name, order.agentRole, order.gatewayRole].map(quoteIdentifier)
  const rights = isReadOnly ? 'SELECT' : 'SELECT, INSERT, UPDATE, DELETE'
  return {
    title: `The schema ${name}: what agents may ${isReadOnly ? 'read' : 'read and write'} there now, and in tables that are made later.`,
    statements: [
      `REVOKE CREATE ON SCHEMA ${schema} FROM PUBLIC`,
      `GRANT USAGE ON SCHEMA ${schema} TO ${agent}`,
      `GRANT ${rights} ON ALL TABLES IN SCHEMA ${schema} TO ${agent}`,
      `GRANT ${isReadOnly ? 'SELECT' : 'USAGE, SELECT'} ON ALL SEQUENCES IN SCHEMA ${schema} TO ${agent}`,
      `GRANT USAGE ON SCHEMA ${schema} TO ${gateway}`,
      `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${gateway}`,
      `GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${gateway}`,
      futureTables(order, name, rights),
      ...(owners.length === 0 ? [] : [`GRANT CREATE ON SCHEMA ${schema} TO ${agent}`]),
      ...(mayRestore ? [`GRANT CREATE ON SCHEMA ${schema} TO ${gateway}`] : []),
    ],
  }
}

/** Default privileges are those of the role that makes a table: of every owner of tables there, and of whoever runs this. */
function futureTables({ agentRole, gatewayRole, isReadOnly }: RoleOrder, schema: string, rights: string): string {
  const inSchema = quoteLiteral(schema)
  const grant = (what: string, role: string) =>
    `EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT ${what} TO %I', maker, ${inSchema}, ${quoteLiteral(role)});`
  const grants = [
    grant(`${rights} ON TABLES`, agentRole),
    grant(`${isReadOnly ? 'SELECT' : 'USAGE, SELECT'} ON SEQUENCES`, agentRole),
    grant('SELECT ON TABLES', gatewayRole),
    grant('SELECT ON SEQUENCES', gatewayRole),
  ]
  const makers = `SELECT current_user::text UNION SELECT pg_get_userbyid(c.relowner)::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ${inSchema} AND c.relkind IN ('r', 'p')`
  return inBlock(`FOR maker IN ${makers} LOOP ${grants.join(' ')} END LOOP;`, 'maker text;')
}

export interface RoleCheck {
  readonly name: string
  readonly sql: string
}

/** Queries whose answer is `true` when the roles are as they should be. */
export function buildRoleChecks(order: RoleOrder): readonly RoleCheck[] {
  const [agent, gateway] = [order.agentRole, order.gatewayRole].map(quoteLiteral)
  const schemas = `ARRAY[${order.schemas.map(quoteLiteral).join(', ')}]::text[]`
  const tables = `FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (${schemas}) AND c.relkind IN ('r', 'p')`
  return [
    {
      name: "nobody can log in with the agents' role",
      sql: `SELECT NOT rolcanlogin AS ok FROM pg_roles WHERE rolname = ${agent}`,
    },
    {
      name: 'neither role is a superuser or may make roles',
      sql: `SELECT count(*) = 2 AS ok FROM pg_roles WHERE rolname IN (${agent}, ${gateway}) AND NOT rolsuper AND NOT rolcreaterole`,
    },
    {
      name: "the gateway may become the agents' role",
      sql: `SELECT pg_has_role(${gateway}, ${agent}, 'MEMBER') AS ok`,
    },
    {
      name: 'the gateway sees every session',
      sql: `SELECT pg_has_role(${gateway}, 'pg_read_all_stats', 'USAGE') AS ok`,
    },
    {
      name: 'the gateway can read every table there, to capture it',
      sql: `SELECT coalesce(bool_and(has_table_privilege(${gateway}, c.oid, 'SELECT')), true) AS ok ${tables}`,
    },
    {
      name: order.isReadOnly ? 'agents can change no table there' : 'agents can read and write every table there',
      sql: order.isReadOnly
        ? `SELECT coalesce(bool_and(NOT has_table_privilege(${agent}, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')), true) AS ok ${tables}`
        : `SELECT coalesce(bool_and(has_table_privilege(${agent}, c.oid, 'SELECT') AND has_table_privilege(${agent}, c.oid, 'UPDATE')), true) AS ok ${tables}`,
    },
  ]
}

/** One text for `psql`, with a comment before each section. */
export function renderRoleSql(
  sections: readonly RoleSection[],
  checks: readonly RoleCheck[],
  gatewayRole: string,
): string {
  const comment = (text: string) => `-- ${text.replaceAll(/\s+/g, ' ')}`
  const password = [
    comment('The password of the gateway is yours to set, where no log sees it. In psql:'),
    comment(`  \\password ${quoteIdentifier(gatewayRole)}`),
  ]
  const parts = sections.map(({ title, statements }) =>
    [comment(title), ...statements.map((one) => `${one};`)].join('\n'),
  )
  const checking = [
    comment('Each of these answers true.'),
    ...checks.map(({ name, sql }) => `${comment(name)}\n${sql};`),
  ]
  return [...['BEGIN;', ...parts, 'COMMIT;'], password.join('\n'), checking.join('\n')].join('\n\n')
}
