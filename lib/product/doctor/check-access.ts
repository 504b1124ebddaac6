/** Who may do what: the token file, the policy, and where alerts go. */
import { createTokenRegistry, type TokenSummary } from '#lib/api/index.ts'
import type { ActivePolicy, PolicyAction } from '#lib/gate/index.ts'
import { BackstopError, epochMsOf, isBackstopError, type RiskLevel } from '#lib/kernel/index.ts'
import type { Clock, Database } from '#lib/ports/index.ts'
import { type CheckReport, Notebook } from './model.ts'

const AGENT_SCOPES: ReadonlySet<string> = new Set(['query:execute', 'query:analyze'])

export interface TokenLook {
  /** Text of the file; undefined: none was named. */
  readonly text: string | undefined
  readonly isDevMode: boolean
}

export function checkTokens({ text, isDevMode }: TokenLook, clock: Clock): CheckReport {
  const notebook = new Notebook('tokens')
  if (isDevMode) {
    notebook.looked('BACKSTOP_DEV_MODE is set')
    notebook.fail('dev mode is on: "dev-token" may do everything', 'Unset BACKSTOP_DEV_MODE and restart the gateway.')
  }
  if (text === undefined) {
    notebook.skip('token file', 'give --tokens, or set BACKSTOP_TOKENS')
    return notebook.report()
  }
  try {
    const tokens = createTokenRegistry({ text, isDevMode: false, clock })
    judgeTokens(tokens.list(), clock, notebook)
    if (tokens.authenticate('dev-token').ok) {
      notebook.fail('the token file holds "dev-token"', 'Take it out: backstop token create makes real ones.')
    }
  } catch (error) {
    if (!isBackstopError(error)) throw error
    notebook.looked('the token file cannot be used')
    notebook.fail(error.message, error.hint)
  }
  return notebook.report()
}

function judgeTokens(tokens: readonly TokenSummary[], clock: Clock, notebook: Notebook): void {
  const agents = tokens.filter(({ scopes }) => scopes.some((scope) => AGENT_SCOPES.has(scope) || scope === 'query:*'))
  notebook.looked(`${tokens.length} tokens, of them ${agents.length} for agents`)
  for (const { id, scopes } of agents) {
    const more = scopes.filter((scope) => !AGENT_SCOPES.has(scope))
    if (more.length === 0) continue
    const problem = `the token ${id} executes statements and may also ${more.join(', ')}`
    notebook.degrade(problem, 'Give agents query:execute and query:analyze alone, and people tokens of their own.')
  }
  if (agents.length === 0)
    notebook.degrade('no token is for agents', 'backstop token create --id agent --scopes query:execute,query:analyze')
  const decides = ({ scopes }: TokenSummary) =>
    scopes.includes('approval:*') || (scopes.includes('approval:read') && scopes.includes('approval:write'))
  if (!tokens.some(decides)) {
    notebook.degrade(
      'no operator can decide: approval:read and approval:write',
      'backstop token create --id operator --scopes approval:read,approval:write,metadata:read',
    )
  }
  for (const { id, expiresAt } of tokens) {
    if (expiresAt === undefined || epochMsOf(expiresAt) > clock.nowMs()) continue
    notebook.degrade(`the token ${id} expired at ${expiresAt}`, 'Take it out of the file, or make a new one.')
  }
}

/** Undefined: the policy file cannot be used, and the error says why. */
export async function checkPolicy(
  active: ActivePolicy | BackstopError,
  source: string,
  database: Database | undefined,
): Promise<CheckReport> {
  const notebook = new Notebook('policy')
  notebook.looked(source)
  if (active instanceof BackstopError) {
    notebook.fail(active.message, active.hint)
    return notebook.report()
  }
  const critical = actionOf(active, 'CRITICAL')
  notebook.looked(
    `CRITICAL: ${critical}, IMPACT_CRITICAL: ${actionOf(active, 'IMPACT_CRITICAL')}, HIGH: ${actionOf(active, 'HIGH')}`,
  )
  if (critical === 'execute') {
    notebook.fail(
      'CRITICAL statements run without anybody looking',
      'Set BACKSTOP_POLICY_CRITICAL to approve or block.',
    )
  }
  if (actionOf(active, 'HIGH') === 'execute') {
    notebook.note(
      'HIGH statements run without an approval: is that what you want? BACKSTOP_POLICY_HIGH=approve holds them.',
    )
  }
  await checkProtected(active, database, notebook)
  return notebook.report()
}

export function actionOf({ policy, levelActions }: ActivePolicy, level: RiskLevel): PolicyAction {
  return levelActions[level] ?? (policy.require_approval_for_risks.includes(level) ? 'approve' : 'execute')
}

async function checkProtected({ policy }: ActivePolicy, database: Database | undefined, notebook: Notebook) {
  const tables = [...new Set([...policy.protected_tables, ...Object.keys(policy.protected_columns)])]
  if (tables.length === 0) {
    notebook.note('No table and no column is protected: do none of them hold personal or financial data?')
    return
  }
  notebook.looked(`protected: ${tables.join(', ')}`)
  if (database === undefined) {
    notebook.passOver('protected tables', 'whether they exist cannot be seen without a database: see database_roles')
    return
  }
  const names = tables.filter((table) => /^[\w.$]+$/.test(table))
  const missing = await database.withSession((session) => session.query<{ name: string }>(MISSING_SQL, [names]))
  for (const { name } of missing) {
    notebook.degrade(
      `the protected table ${name} is not in the database`,
      'Correct protected_tables: it protects nothing.',
    )
  }
  for (const table of tables) if (!names.includes(table)) notebook.passOver(table, 'it is a pattern, or quoted')
}

/** Without a schema a name counts in each. */
const MISSING_SQL = `
  SELECT wanted AS name FROM unnest($1::text[]) AS wanted
   WHERE NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND wanted IN (c.relname, n.nspname || '.' || c.relname))`

export function checkAlerts(targetCount: number): CheckReport {
  const notebook = new Notebook('alert_routing')
  notebook.looked(`${targetCount} webhooks in BACKSTOP_ALERT_WEBHOOK`)
  if (targetCount === 0) {
    const fix =
      'Set BACKSTOP_ALERT_WEBHOOK to an address of Slack, PagerDuty or your own; alerts are in the log alone until then.'
    notebook.degrade('nobody is told when a statement waits for approval', fix)
  }
  return notebook.report()
}
