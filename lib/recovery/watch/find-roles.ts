/** Reads which roles are those of agents: named, marked by `init-roles`, or members of one. */
import type { DatabaseSession } from '#lib/ports/index.ts'

/** What the comment of an agents' role begins with. */
export const AGENT_ROLE_MARK = 'backstop agent role'

export interface AgentRole {
  readonly name: string
  readonly can_login: boolean
  readonly is_visible: boolean
}

/**
 * `$1` named roles, `$2` roles of gateways, `$3` the mark. Rows of other roles show address and time only to members of
 * pg_read_all_stats, or of the role. Whoever has made a role is its member by that alone, and can neither use it nor become
 * it: no agent. Before PostgreSQL 16 a membership has no such options, and is a full one.
 */
const ROLES_SQL = `
  WITH RECURSIVE agent AS (
    SELECT r.oid FROM pg_roles r
     WHERE (r.rolname = ANY ($1) OR starts_with(coalesce(shobj_description(r.oid, 'pg_authid'), ''), $3))
       AND r.rolname <> ALL ($2)
    UNION
    SELECT r.oid
      FROM agent a JOIN pg_auth_members m ON m.roleid = a.oid JOIN pg_roles r ON r.oid = m.member
     WHERE r.rolname <> ALL ($2) AND NOT r.rolsuper
       AND (coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
            OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)))
  SELECT r.rolname AS name, r.rolcanlogin AND (r.rolvaliduntil IS NULL OR r.rolvaliduntil > now()) AS can_login,
         pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_read_all_stats', 'USAGE') AS is_visible
    FROM agent a JOIN pg_roles r ON r.oid = a.oid ORDER BY 1`

export async function findAgentRoles(
  session: DatabaseSession,
  named: readonly string[],
  gatewayRoles: readonly string[],
): Promise<readonly AgentRole[]> {
  return await session.query<AgentRole>(ROLES_SQL, [named, gatewayRoles, AGENT_ROLE_MARK])
}
