/** Puts the demonstration's world together: the embedded product, a direct connection beside it, and the two people in it. */
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import { openGateway, request } from '../gateway/index.ts'
import { AGENT_ID, type ShopTokens } from '../shop/index.ts'
import { type StartedProduct, startUp } from '../up/index.ts'
import type { AskDatabase } from './claim.ts'
import { runCliChild } from './cli-child.ts'
import type { AgentAnswer, DemoWorld } from './model.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What surrounds the demonstration must not change it. */
function ownEnvironment(given: Environment): Environment {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith('BACKSTOP_')))
}

/** The value of the only column of the only row. */
function askOn(database: Database): AskDatabase {
  return (sql, parameters = []) =>
    database.withSession(async (session: DatabaseSession) => {
      const [row, ...others] = await session.query<Record<string, unknown>>(sql, parameters)
      const values = Object.values(row ?? {})
      if (others.length > 0 || values.length !== 1) throw new Error('the check asks for one value')
      return values[0]
    })
}

interface RpcReply {
  readonly result?: AgentAnswer
  readonly error?: { readonly message: string }
}

function executeAs(gateway: DemoWorld['agent']): DemoWorld['execute'] {
  return async (query, approvalId) => {
    const approval = approvalId === undefined ? {} : { approval_id: approvalId }
    const params = { name: 'execute_query', arguments: { query, agent_id: AGENT_ID, ...approval } }
    const reply = await request<RpcReply>(gateway, 'POST', '/', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
    if (reply.result !== undefined) return reply.result
    throw new Error(`the gateway answered with an error: ${reply.error?.message ?? 'without a message'}`)
  }
}

export interface WorldParts {
  /** Of the gateway. */
  readonly url: string
  /** The superuser's, past the product. */
  readonly databaseUrl: string
  readonly database: Database
  readonly tokens: ShopTokens['tokens']
  /** What the command finds in its environment, by its arguments. */
  environmentFor(args: readonly string[]): Environment
  readonly signal: AbortSignal
}

/** The world of the steps in front of any running product. */
export function assembleWorld(parts: WorldParts): DemoWorld {
  const { url, databaseUrl, tokens, signal } = parts
  const agent = openGateway({ url, token: tokens.agent, signal })
  return {
    signal,
    databaseUrl,
    databaseName: decodeURIComponent(new URL(databaseUrl).pathname.slice(1)),
    agent,
    ops: openGateway({ url, token: tokens.ops, signal }),
    memory: {},
    ask: askOn(parts.database),
    runDirectly: (statements) =>
      parts.database.withDedicatedSession((session) => session.execute(statements.join(';\n'))),
    execute: executeAs(agent),
    cli: (...args) => runCliChild(args, { environment: parts.environmentFor(args), signal }),
  }
}

function embeddedWorld(
  started: StartedProduct,
  database: Database,
  environment: Environment,
  signal: AbortSignal,
): DemoWorld {
  const { product, config, shopTokens } = started
  if (shopTokens === undefined) throw new BackstopError('BUG', 'the demonstration runs on a product of its own')
  const { url, databaseUrl } = product
  const childEnvironment = {
    ...environment,
    BACKSTOP_URL: url,
    BACKSTOP_TOKEN: shopTokens.tokens.operator,
    BACKSTOP_DB_URL: databaseUrl,
    BACKSTOP_STORAGE_URL: config.storageUrl,
    BACKSTOP_METADATA_DB: config.metadataPath,
  }
  const { tokens } = shopTokens
  return assembleWorld({ url, databaseUrl, database, tokens, environmentFor: () => childEnvironment, signal })
}

export interface OpenedWorld {
  readonly world: DemoWorld
  close(): Promise<void>
}

/** Effects: an embedded server, a temporary folder, a port on loopback; all gone after `close`. */
export async function openWorld(given: Environment, signal: AbortSignal): Promise<OpenedWorld> {
  const environment = ownEnvironment(given)
  const started = await startUp({ port: 0, log: () => {} }, environment)
  const database = openPostgres({
    url: started.product.databaseUrl,
    maxConnections: 1,
    applicationName: 'backstop-demo',
  })
  const close = () => database.close().finally(started.stop)
  try {
    return { world: embeddedWorld(started, database, environment, signal), close }
  } catch (error) {
    await close()
    throw error
  }
}
