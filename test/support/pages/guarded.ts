/** `backstop up` in front of a database of its own, with a token file and a policy file, as an operator would run it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TemporaryFolder } from '#test/support/cli/run-cli.ts'
import { makeTemporaryFolder } from '#test/support/cli/run-cli.ts'
import { type RunningUp, startUpProcess } from '#test/support/cli/running-up.ts'
import { createTestDatabase, type TestDatabase } from '#test/support/postgres.ts'

const SEED = `
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, email text);
INSERT INTO users SELECT n, 'user ' || n, n || '@example.com' FROM generate_series(1, 100) n;
CREATE TABLE ledger (id int PRIMARY KEY, amount numeric NOT NULL);
INSERT INTO ledger SELECT n, n FROM generate_series(1, 10) n;
CREATE TABLE events (id int PRIMARY KEY);
INSERT INTO events SELECT n FROM generate_series(1, 100) n;
`
export const TOKENS = {
  agent: 'agent-token-of-the-pages',
  operator: 'operator-token-of-the-pages',
  ops: 'ops-token-of-the-pages',
  admin: 'admin-token-of-the-pages',
} as const

const TOKEN_FILE = [
  { id: 'agent', token: TOKENS.agent, scopes: ['query:execute', 'query:analyze'] },
  { id: 'operator', token: TOKENS.operator, scopes: ['approval:read', 'approval:write'] },
  { id: 'ops', token: TOKENS.ops, scopes: ['metadata:read', 'metrics:read'] },
  { id: 'admin', token: TOKENS.admin, scopes: ['admin:*'] },
]

export interface Reply {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked at member by member
  readonly json: any
}

export interface Guarded {
  readonly url: string
  /** Of the background's own door. */
  readonly syncUrl: string
  readonly db: TestDatabase
  readonly folder: TemporaryFolder
  /** `file:///…` */
  readonly storage: string
  readonly metadataPath: string
  readonly tokensPath: string
  fetch(path: string, headers?: Readonly<Record<string, string>>, body?: object): Promise<Reply>
  get(path: string, caller: keyof typeof TOKENS): Promise<Reply>
  post(path: string, caller: keyof typeof TOKENS, body?: object): Promise<Reply>
  /** The result of `execute_query`. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
  query(sql: string, approvalId?: string): Promise<any>
  /** What it has written to standard error so far: one JSON object a line. */
  log(): string
  stop(): Promise<void>
}

export interface GuardedOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly policy?: object
}

async function send(url: string, method: string, headers: Readonly<Record<string, string>>, body?: object) {
  const given = body === undefined ? {} : { body: JSON.stringify(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(url, { method, headers: { ...type, ...headers }, ...given })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined }
}

async function run(folder: TemporaryFolder, db: TestDatabase, { environment, policy }: GuardedOptions) {
  const tokensPath = join(folder.path, 'tokens.json')
  const policyPath = join(folder.path, 'policy.json')
  writeFileSync(tokensPath, JSON.stringify(TOKEN_FILE))
  writeFileSync(policyPath, JSON.stringify(policy ?? {}))
  const running = await startUpProcess(['--data', join(folder.path, 'data')], {
    BACKSTOP_DB_URL: db.url,
    BACKSTOP_TOKENS: tokensPath,
    BACKSTOP_POLICY: policyPath,
    ...environment,
  })
  return { running, tokensPath }
}

function callsOf({ ready: { url } }: RunningUp): Pick<Guarded, 'fetch' | 'get' | 'post' | 'query'> {
  const as = (caller: keyof typeof TOKENS) => ({ authorization: `Bearer ${TOKENS[caller]}` })
  return {
    fetch: (path, headers = {}, body) => send(`${url}${path}`, body === undefined ? 'GET' : 'POST', headers, body),
    get: (path, caller) => send(`${url}${path}`, 'GET', as(caller)),
    post: (path, caller, body) => send(`${url}${path}`, 'POST', as(caller), body),
    async query(sql, approvalId) {
      const args = { query: sql, agent_id: 'pages', ...(approvalId === undefined ? {} : { approval_id: approvalId }) }
      const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'execute_query', arguments: args } }
      const { json } = await send(`${url}/`, 'POST', as('agent'), call)
      return json.result ?? json
    },
  }
}

export async function startGuarded(options: GuardedOptions = {}): Promise<Guarded> {
  const db = await createTestDatabase(SEED)
  const folder = makeTemporaryFolder()
  const { running, tokensPath } = await run(folder, db, options)
  return {
    ...callsOf(running),
    url: running.ready.url,
    syncUrl: running.ready.sync_url ?? 'not served',
    db,
    folder,
    storage: running.ready.storage,
    metadataPath: running.ready.metadata_db,
    tokensPath,
    log: () => running.stderr(),
    async stop() {
      running.child.kill('SIGTERM')
      await running.end
      await db.drop()
      folder.remove()
    },
  }
}
