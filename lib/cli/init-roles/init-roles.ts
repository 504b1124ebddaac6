/** `backstop init-roles`: the SQL of the two roles that a guarded database needs; printed, and run only when asked to. */
import { BackstopError } from '#lib/kernel/index.ts'
import { connectDatabase } from '#lib/runtime/tools/index.ts'
import { type CommandContext, DATABASE_FLAG, defineCommand, getSetting, text, toggle } from '../frame/index.ts'
import type { Block } from '../terminal/index.ts'
import { buildRoleChecks, buildRoleSql, checkOrder, type RoleCheck, type RoleOrder, renderRoleSql } from './role-sql.ts'

interface CheckedRole {
  readonly name: string
  readonly ok: boolean
}

export const initRoles = defineCommand({
  path: 'init-roles',
  summary: 'Print SQL for least-privilege roles of the gateway and of agents',
  details:
    'Nothing is run unless --apply says so. Run it as an administrator of the database, in the database itself; running it again changes nothing.',
  flags: {
    gatewayRole: text('--gateway-role <name>', 'the role that the gateway logs in with (default backstop)'),
    agentRole: text('--agent-role <name>', 'the role that statements run as (default backstop_agent)'),
    schemas: text('--schemas <list>', 'the schemas that agents work in, separated by commas (default public)'),
    readOnly: toggle('--read-only', 'agents read alone, whatever an operator approves'),
    owner: text('--owner <list>', 'owners of tables that approved statements may alter and drop'),
    restore: toggle('--restore', "the gateway's role may restore tables beside the originals"),
    readAllData: toggle(
      '--read-all-data',
      'every schema can be captured, with pg_read_all_data; it reads password hashes too',
    ),
    bypassRls: toggle('--bypass-rls', 'tables with row-level security can be captured too'),
    db: DATABASE_FLAG,
    apply: toggle('--apply', 'run it in this database, after it was shown'),
    yes: toggle('--yes', 'run it without asking'),
  },
  json: 'gateway_role, agent_role, schemas[], read_only, sql, settings, applied, checks[] (name, ok; null: not applied)',
  examples: [
    { does: 'Look at it', line: 'backstop init-roles --schemas shop' },
    {
      does: 'Run it with psql',
      line: 'backstop init-roles --schemas shop | psql postgresql://postgres@localhost/shop',
    },
    {
      does: 'Run it here, where approved changes of tables are to work',
      line: 'backstop init-roles --schemas shop --owner shop_owner --db postgresql://postgres@localhost/shop --apply',
    },
  ],
  async run({ flags }, context) {
    const order = checkOrder({
      gatewayRole: flags.gatewayRole ?? 'backstop',
      agentRole: flags.agentRole ?? 'backstop_agent',
      schemas: namesIn(flags.schemas ?? 'public'),
      isReadOnly: flags.readOnly,
      owners: namesIn(flags.owner ?? ''),
      mayRestore: flags.restore,
      readsEverything: flags.readAllData,
      bypassesRowSecurity: flags.bypassRls,
    })
    const checks = buildRoleChecks(order)
    const sections = buildRoleSql(order)
    const sql = renderRoleSql(sections, checks, order.gatewayRole)
    const data = dataOf(order, sql)
    if (!flags.apply)
      return { ok: true, data: { ...data, applied: false, checks: null }, blocks: [{ kind: 'code', text: sql }] }
    const dbUrl = getSetting(flags.db, '--db', 'BACKSTOP_DB_URL', context.environment)
    await confirm(context, sql, flags.yes)
    const statements = sections.flatMap((section) => section.statements)
    const checked = await apply(dbUrl, statements, checks)
    const ok = checked.every((one) => one.ok)
    return { ok, data: { ...data, applied: true, checks: checked }, blocks: reportOf(order, checked) }
  },
})

/** A name may hold spaces; one with a comma is not for the command line. */
const namesIn = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

function dataOf(order: RoleOrder, sql: string) {
  return {
    gateway_role: order.gatewayRole,
    agent_role: order.agentRole,
    schemas: order.schemas,
    read_only: order.isReadOnly,
    settings: { BACKSTOP_AGENT_ROLE: order.agentRole },
    sql,
  }
}

async function confirm(context: CommandContext, sql: string, isSure: boolean): Promise<void> {
  if (isSure) return
  if (context.ask === undefined) throw new BackstopError('USAGE_INVALID', 'nobody can be asked here: give --yes')
  await context.show({}, [{ kind: 'code', text: sql }])
  if (!(await context.ask.confirm('Run this in the database?')))
    throw new BackstopError('USAGE_INVALID', 'nothing was run')
}

/** All or nothing. Throws StatementError, DATABASE_UNREACHABLE. */
async function apply(
  dbUrl: string,
  statements: readonly string[],
  checks: readonly RoleCheck[],
): Promise<readonly CheckedRole[]> {
  const database = await connectDatabase(dbUrl, 1)
  try {
    return await database.withDedicatedSession(async (session) => {
      await session.execute('BEGIN')
      for (const statement of statements) await session.execute(statement)
      await session.execute('COMMIT')
      const checked: CheckedRole[] = []
      for (const { name, sql } of checks) {
        const [row] = await session.query<{ ok: boolean }>(sql)
        checked.push({ name, ok: row?.ok === true })
      }
      return checked
    })
  } finally {
    await database.close()
  }
}

function reportOf(order: RoleOrder, checked: readonly CheckedRole[]): readonly Block[] {
  const rows = checked.map(({ name, ok }) => [name, { text: ok ? 'yes' : 'NO', tone: ok ? 'good' : 'bad' } as const])
  return [
    { kind: 'title', text: 'The roles are there' },
    { kind: 'table', columns: [{ title: 'CHECK' }, { title: 'HOLDS' }], rows, whenEmpty: '' },
    {
      kind: 'text',
      text: `Set BACKSTOP_AGENT_ROLE=${order.agentRole}, and let BACKSTOP_DB_URL log in as ${order.gatewayRole}.`,
    },
  ]
}
