/** A running product for end-to-end tests: real HTTP, real PostgreSQL, real files. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningProduct, readConfig, startProduct } from '#lib/runtime/index.ts'
import { PATIENT_LIMITS } from '#test/support/patient-limits.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

export const TOKENS = {
  agent: 'agent-token-0123456789abcdef',
  agent2: 'agent-two-token-0123456789abc',
  operator: 'operator-token-0123456789abc',
  operator2: 'operator-two-token-01234567',
  admin: 'admin-token-0123456789abcdef',
} as const

export type Caller = keyof typeof TOKENS

export const TOKEN_FILE = JSON.stringify([
  { id: 'agent', token: TOKENS.agent, scopes: ['query:execute', 'query:analyze'] },
  { id: 'agent-two', token: TOKENS.agent2, scopes: ['query:execute', 'query:analyze'] },
  {
    id: 'operator',
    token: TOKENS.operator,
    scopes: ['approval:read', 'approval:write', 'metadata:read', 'metrics:read'],
  },
  { id: 'operator-two', token: TOKENS.operator2, scopes: ['approval:read', 'approval:write'] },
  { id: 'admin', token: TOKENS.admin, scopes: ['admin:*'] },
])

export interface Reply {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at member by member
  readonly body: any
}

export interface TestProduct {
  readonly product: RunningProduct
  readonly db: TestDatabase
  readonly folder: string
  call(caller: Caller | undefined, method: string, path: string, body?: unknown): Promise<Reply>
  /** The result of `execute_query`. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
  query(sql: string, extra?: Record<string, unknown>, caller?: Caller): Promise<any>
  /** Stop gracefully and start again on the same files and database. */
  restart(): Promise<TestProduct>
  stop(): Promise<void>
}

export interface TestProductOptions {
  readonly seedSql?: string
  /** Over `PATIENT_LIMITS`. */
  readonly environment?: Record<string, string>
  /** A superuser's URL of the cluster to make the database on. Default: the run's. */
  readonly clusterUrl?: string
  /** Default: the superuser's URL. */
  dbUrl?(db: TestDatabase): string
}

export async function startTestProduct(options: TestProductOptions = {}): Promise<TestProduct> {
  const db = await createTestDatabase(options.seedSql, options.clusterUrl)
  const folder = await mkdtemp(join(tmpdir(), 'backstop-test-'))
  const place = { BACKSTOP_PORT: '0', BACKSTOP_DB_URL: options.dbUrl?.(db) ?? db.url }
  return open({ db, folder, environment: { ...place, ...PATIENT_LIMITS, ...options.environment } })
}

interface Place {
  readonly db: TestDatabase
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

async function open(place: Place): Promise<TestProduct> {
  const config = readConfig(place.environment, place.folder)
  const product = await startProduct({ config, version: '0.0.0', tokens: TOKEN_FILE, log: () => {} })
  const call = (caller: Caller | undefined, method: string, path: string, body?: unknown) =>
    send(product.url, caller, method, path, body)
  return {
    product,
    db: place.db,
    folder: place.folder,
    call,
    query: async (sql, extra = {}, caller = 'agent') => {
      const params = { name: 'execute_query', arguments: { query: sql, agent_id: 'tester', ...extra } }
      const reply = await call(caller, 'POST', '/', { jsonrpc: '2.0', id: 1, method: 'tools/call', params })
      return reply.body.result ?? reply.body
    },
    restart: async () => {
      await product.stop()
      return open(place)
    },
    stop: async () => {
      await product.stop()
      await place.db.drop()
      await rm(place.folder, { recursive: true, force: true })
    },
  }
}

async function send(
  url: string,
  caller: Caller | undefined,
  method: string,
  path: string,
  body: unknown,
): Promise<Reply> {
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
  if (caller !== undefined) headers['authorization'] = `Bearer ${TOKENS[caller]}`
  const text = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(url + path, { method, headers, ...text })
  const reply = await response.text()
  return { status: response.status, body: reply === '' ? undefined : parse(reply) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
