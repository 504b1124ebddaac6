/** The product as a child process on its embedded defaults, and ways to talk to it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { makeTemporaryFolder, runCliJson } from '#test/support/cli/run-cli.ts'
import { callGateway, executeQuery, type RunningUp, startUpProcess } from '#test/support/cli/running-up.ts'

export const CLUSTER = 'lifecycle'
const TOKENS = {
  agent: 'agent-token-of-the-lifecycle',
  operator: 'operator-token-of-the-lifecycle',
  ops: 'ops-token-of-the-lifecycle',
  admin: 'admin-token-of-the-lifecycle',
} as const
const TOKEN_FILE = [
  { id: 'agent', token: TOKENS.agent, scopes: ['query:execute', 'query:analyze'] },
  { id: 'operator', token: TOKENS.operator, scopes: ['approval:read', 'approval:write'] },
  { id: 'ops', token: TOKENS.ops, scopes: ['metadata:read', 'metrics:read'] },
  { id: 'admin', token: TOKENS.admin, scopes: ['admin:*'] },
]

export type Caller = keyof typeof TOKENS

export class Shop {
  readonly #running: RunningUp
  readonly #folder: ReturnType<typeof makeTemporaryFolder>
  readonly databaseUrl: string

  constructor(running: RunningUp, folder: ReturnType<typeof makeTemporaryFolder>) {
    this.#running = running
    this.#folder = folder
    this.databaseUrl = readFileSync(join(folder.path, 'data/database-url'), 'utf8').trim()
  }

  static async start(): Promise<Shop> {
    const folder = makeTemporaryFolder()
    try {
      const tokensPath = join(folder.path, 'tokens.json')
      writeFileSync(tokensPath, JSON.stringify(TOKEN_FILE), { mode: 0o600 })
      const environment = { BACKSTOP_TOKENS: tokensPath, BACKSTOP_CLUSTER_ID: CLUSTER }
      return new Shop(await startUpProcess(['--data', join(folder.path, 'data')], environment), folder)
    } catch (error) {
      folder.remove()
      throw error
    }
  }

  get storage(): string {
    return this.#running.ready.storage
  }

  get url(): string {
    return this.#running.ready.url
  }

  /** What the gateway was told, for commands that run beside it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      BACKSTOP_DB_URL: this.databaseUrl,
      BACKSTOP_STORAGE_URL: this.storage,
      BACKSTOP_METADATA_DB: this.#running.ready.metadata_db,
      BACKSTOP_TOKENS: join(this.#folder.path, 'tokens.json'),
      BACKSTOP_URL: this.url,
    }
  }

  get dataFolder(): string {
    return join(this.#folder.path, 'data')
  }

  async get(path: string, caller?: Caller) {
    return await callGateway(this.url, path, caller === undefined ? undefined : TOKENS[caller])
  }

  async post(path: string, caller: Caller) {
    return await callGateway(this.url, path, TOKENS[caller], {})
  }

  async text(path: string, caller: Caller): Promise<string> {
    const headers = { authorization: `Bearer ${TOKENS[caller]}` }
    return await (await fetch(new URL(path, this.url), { headers })).text()
  }

  async query(sql: string, approvalId?: string) {
    return await executeQuery(this.url, TOKENS.agent, sql, approvalId)
  }

  async command(words: readonly string[], caller?: Caller) {
    const token = caller === undefined ? {} : { BACKSTOP_TOKEN: TOKENS[caller] }
    return await runCliJson(words, { ...this.environment, ...token })
  }

  /** Past the gateway, as its owner would look. */
  async look(sql: string): Promise<unknown> {
    const client = new Client({ connectionString: this.databaseUrl })
    await client.connect()
    try {
      return Object.values((await client.query(sql)).rows[0] ?? {})[0]
    } finally {
      await client.end()
    }
  }

  async stop(): Promise<void> {
    this.#running.child.kill('SIGTERM')
    await this.#running.end
    this.#folder.remove()
  }
}
