/** PostgreSQL through `pg`: a pool of clean sessions. */
import pg from 'pg'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import { mapDatabaseError } from './failure.ts'
import { lend } from './session.ts'

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/name?sslmode=…`. Never shown. */
  readonly url: string
  /** What the database is called in messages and bindings; absent: `host:port/name`. */
  readonly label?: string
  readonly maxConnections?: number // default 10
  readonly connectTimeoutMs?: number // default 10,000
  readonly applicationName?: string // default backstop-gateway
  /** Statements that are not awaited one by one share a round trip. Such sessions cannot COPY. */
  readonly isPipelined?: boolean
  /** `name = value`, as after SET: every session has them when it is lent, whatever was done to it before. */
  readonly sessionSettings?: readonly string[]
}

/** All that DISCARD ALL does; several statements may share a round trip, which DISCARD ALL may not. */
const CLEAN_SESSION =
  'SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL; ' +
  'SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES'

/** `host:port/name` of a URL. Throws CONFIG_INVALID without showing the URL. */
function labelOf(url: string): string {
  try {
    const parsed = new URL(url)
    if (!['postgres:', 'postgresql:'].includes(parsed.protocol)) throw new TypeError('not a PostgreSQL URL')
    return `${parsed.hostname || 'localhost'}:${parsed.port || 5432}/${decodeURIComponent(parsed.pathname.slice(1))}`
  } catch {
    throw new BackstopError(
      'CONFIG_INVALID',
      'The database URL is malformed. Write postgresql://user:password@host:5432/name.',
    )
  }
}

/** The driver remembers by name what it prepared; after DEALLOCATE ALL it has to prepare again. */
function forgetPrepared(client: pg.PoolClient): void {
  const { connection } = client as unknown as {
    connection: Record<'parsedStatements' | 'submittedNamedStatements', object>
  }
  connection.parsedStatements = {}
  connection.submittedNamedStatements = {}
}

class PostgresDatabase implements Database {
  readonly label: string
  readonly #pool: pg.Pool
  readonly #config: pg.PoolConfig
  readonly #settings: string

  constructor(options: PostgresOptions) {
    const ofUrl = labelOf(options.url)
    this.label = options.label ?? ofUrl
    this.#config = {
      connectionString: options.url,
      max: options.maxConnections ?? 10,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
      application_name: options.applicationName ?? 'backstop-gateway',
      keepAlive: true,
      pipeline: options.isPipelined ?? false,
    }
    this.#settings = (options.sessionSettings ?? []).map((setting) => `SET SESSION ${setting}`).join('; ')
    this.#pool = new pg.Pool({ ...this.#config, onConnect: (client) => this.#prepare(client) })
    // A connection that breaks while idle leaves the pool by itself; the next caller gets a new one.
    this.#pool.on('error', () => {})
  }

  async withSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
    const client = await this.#connect(() => this.#pool.connect())
    const onError = () => {}
    client.on('error', onError)
    const lent = lend(client, this.label)
    try {
      return await use(lent.session)
    } finally {
      client.off('error', onError)
      if (lent.isLeftClean() && client.getTransactionStatus() === 'I') client.release()
      // Not awaited: the caller has its result, and the pool lends the connection again only when it is clean.
      else void this.#giveBack(client)
    }
  }

  async withDedicatedSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
    const client = new pg.Client(this.#config as pg.ClientConfig)
    client.on('error', () => {})
    try {
      await this.#connect(async () => {
        await client.connect()
        await this.#prepare(client)
      })
      return await use(lend(client, this.label).session)
    } finally {
      await client.end().catch(() => {})
    }
  }

  async cancel(processId: number): Promise<void> {
    await this.withDedicatedSession((session) => session.query('SELECT pg_cancel_backend($1)', [processId])).catch(
      () => {},
    )
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #prepare(client: pg.ClientBase): Promise<void> {
    if (this.#settings !== '') await client.query(this.#settings)
  }

  async #connect<T>(connect: () => Promise<T>): Promise<T> {
    try {
      return await connect()
    } catch (error) {
      throw mapDatabaseError(error, this.label)
    }
  }

  async #giveBack(client: pg.PoolClient): Promise<void> {
    const ignore = () => {}
    client.on('error', ignore)
    try {
      if (client.getTransactionStatus() !== 'I') await client.query('ROLLBACK')
      await client.query(this.#settings === '' ? CLEAN_SESSION : `${CLEAN_SESSION}; ${this.#settings}`)
      forgetPrepared(client)
      client.release()
    } catch {
      client.release(true)
    } finally {
      client.off('error', ignore)
    }
  }
}

/** Open a pool; connects on first use. */
export function openPostgres(options: PostgresOptions): Database {
  return new PostgresDatabase(options)
}
