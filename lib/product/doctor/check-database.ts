/** The roles of the database: what the gateway's own may do, and whether agents could go round it. */
import type { Database } from '#lib/ports/index.ts'
import { type CheckReport, Notebook } from './model.ts'

interface RoleFacts {
  readonly role: string
  readonly isSuperuser: boolean
  readonly major: number
  readonly agentCanLogin: boolean | null
  readonly agentIsSuperuser: boolean | null
  readonly agentIsMember: boolean | null
}

const ROLES_SQL = `
  SELECT g.rolname::text AS role, g.rolsuper AS "isSuperuser",
         current_setting('server_version_num')::int / 10000 AS major,
         a.rolcanlogin AS "agentCanLogin", a.rolsuper AS "agentIsSuperuser",
         pg_has_role(g.oid, a.oid, 'MEMBER') AS "agentIsMember"
    FROM pg_roles g LEFT JOIN pg_roles a ON a.rolname = $1
   WHERE g.rolname = current_user`

const FIX_ROLES = 'Make roles with as few rights as they need: backstop init-roles prints the SQL.'

/** Also says the server's major version. */
export async function checkDatabase(
  database: Database | undefined,
  agentRole: string | undefined,
): Promise<{ readonly report: CheckReport; readonly major: number | undefined }> {
  const notebook = new Notebook('database_roles')
  if (database === undefined) {
    notebook.skip('database roles', 'give --db, or set BACKSTOP_DB_URL')
    return { report: notebook.report(), major: undefined }
  }
  const [facts] = await database.withSession((session) => session.query<RoleFacts>(ROLES_SQL, [agentRole ?? '']))
  if (facts === undefined) throw new Error('the current role is not in pg_roles')
  notebook.looked(`the gateway connects to ${database.label} as ${facts.role}`)
  if (facts.isSuperuser) notebook.degrade(`the gateway's role ${facts.role} is a superuser`, FIX_ROLES)
  judgeAgent(facts, agentRole, notebook)
  return { report: notebook.report(), major: facts.major }
}

function judgeAgent(facts: RoleFacts, agentRole: string | undefined, notebook: Notebook): void {
  if (agentRole === undefined) {
    const problem = `statements of agents run with all rights of ${facts.role}`
    notebook.degrade(problem, `Set BACKSTOP_AGENT_ROLE. ${FIX_ROLES}`)
    return
  }
  notebook.looked(`statements of agents run as ${agentRole}`)
  if (facts.agentCanLogin === null) {
    notebook.fail(`the role ${agentRole} of BACKSTOP_AGENT_ROLE is not there`, FIX_ROLES)
    return
  }
  if (facts.agentIsSuperuser === true) notebook.fail(`the agents' role ${agentRole} is a superuser`, FIX_ROLES)
  if (facts.agentCanLogin) {
    notebook.degrade(`the agents' role ${agentRole} can log in, past the gateway`, `ALTER ROLE "${agentRole}" NOLOGIN`)
  }
  if (facts.agentIsMember !== true) {
    notebook.fail(`${facts.role} may not take the role ${agentRole}`, `GRANT "${agentRole}" TO "${facts.role}"`)
  }
}
