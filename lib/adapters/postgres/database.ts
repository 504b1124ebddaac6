/** PostgreSQL through `pg`: a pool of clean sessions. */
import pg from 'pg'
import type { Database, DatabaseSession } from '#lib/ports/index.ts'
import { driverAddress, labelOf, type PostgresAddress } from './address.ts'
import { type Backends, backendsOf } from './backends.ts'
import { mapDatabaseError } from './failure.ts'
import { lend } from './session.ts'

export type PostgresOptions = PostgresAddress & {
  /** What the database is called in messages and bindings; absent: `host:port/name`. */
  readonly label?: string
  readonly maxConnections?: number // default 10
  readonly connectTimeoutMs?: number // default 10,000
  readonly applicationName?: string // default backstop-gateway
  /** Statements that are not awaited one by one share a round trip. Such sessions cannot COPY. */
  readonly isPipelined?: boolean
  /** `name = value`, as after SET: every session has them when it is lent, whatever was done to it before. */
  readonly sessionSettings?: readonly string[]
  /** A connection that nobody used for so long is closed; 0: never. Default 10,000. */
  readonly idleTimeoutMs?: number
  /** A connection that nobody used for so long is tried before it is lent: for a process that is frozen in between. */
  readonly checkAfterIdleMs?: number // default: never
}

/** The server refused the password: it may have changed since it was asked for. */
const INVALID_PASSWORD = '28P01'
const CHECK_WITHIN_MS = 2_000
const CLEAN_WITHIN_MS = 30_000

/** All that DISCARD ALL does; several statements may share a round trip, which DISCARD ALL may not. */
const CLEAN_SESSION =
  'SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL; ' +
  'SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES'

/** A server that is gone without a word must not keep a place of the pool for ever. */
function cleaning(text: string): pg.QueryConfig {
  return { text, query_timeout: CLEAN_WITHIN_MS } as pg.QueryConfig
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
  readonly #address: PostgresAddress
  #password = ''
  readonly #backends: Backends
  readonly #checkAfterIdleMs: number
  readonly #releasedAtMs = new WeakMap<pg.PoolClient, number>()

  constructor(options: PostgresOptions) {
    const ofAddress = labelOf(options)
    this.label = options.label ?? ofAddress
    this.#address = options
    this.#backends = backendsOf(ofAddress.slice(0, ofAddress.lastIndexOf('/')))
    this.#checkAfterIdleMs = options.checkAfterIdleMs ?? Number.POSITIVE_INFINITY
    this.#config = {
      ...driverAddress(options, () => this.#password),
      max: options.maxConnections ?? 10,
      connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
      application_name: options.applicationName ?? 'backstop-gateway',
      idleTimeoutMillis: options.idleTimeoutMs ?? 10_000,
      keepAlive: true,
      pipeline: options.isPipelined ?? false,
    }
    this.#settings = (options.sessionSettings ?? []).map((setting) => `SET SESSION ${setting}`).join('; ')
    this.#pool = new pg.Pool({ ...this.#config, onConnect: (client) => this.#prepare(client) })
    // A connection that breaks while idle leaves the pool by itself; the next caller gets a new one.
    this.#pool.on('error', () => {})
  }

  async withSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
    const client = await this.#checkOut()
    const onError = () => {}
    client.on('error', onError)
    const lent = lend(client, this.label)
    try {
      return await use(lent.session)
    } finally {
      client.off('error', onError)
      if (lent.isLeftClean() && client.getTransactionStatus() === 'I') this.#release(client)
      // Not awaited: the caller has its result, and the pool lends the connection again only when it is clean.
      else void this.#giveBack(client)
    }
  }

  async withDedicatedSession<T>(use: (session: DatabaseSession) => Promise<T>): Promise<T> {
    const client = await this.#connect(() => this.#openDedicated())
    try {
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

  listProcessIds(): readonly number[] {
    return this.#backends.list()
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #prepare(client: pg.ClientBase): Promise<void> {
    this.#backends.add(client)
    if (this.#settings !== '') await client.query(this.#settings)
  }

  async #connect<T>(connect: () => Promise<T>): Promise<T> {
    try {
      return await connect().catch((error: unknown) => this.#afterRotation(error, connect))
    } catch (error) {
      throw mapDatabaseError(error, this.label)
    }
  }

  #afterRotation<T>(error: unknown, connect: () => Promise<T>): Promise<T> {
    const forget = this.#address.server?.forgetPassword
    if (forget === undefined || (error as { code?: unknown } | null)?.code !== INVALID_PASSWORD) throw error
    forget()
    return connect()
  }

  /** Before the driver connects: it would leave a connection open whose password cannot be had. */
  async #askPassword(): Promise<void> {
    if (this.#address.server !== undefined) this.#password = await this.#address.server.password()
  }

  async #openPooled(): Promise<pg.PoolClient> {
    if (this.#pool.idleCount === 0) await this.#askPassword()
    return this.#pool.connect()
  }

  async #openDedicated(): Promise<pg.Client> {
    await this.#askPassword()
    const client = new pg.Client(this.#config as pg.ClientConfig)
    client.on('error', () => {})
    try {
      await client.connect()
      await this.#prepare(client)
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  /** What broke while nobody looked is closed here, and not found out by a statement. */
  async #checkOut(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#connect(() => this.#openPooled())
      const idleMs = Date.now() - (this.#releasedAtMs.get(client) ?? Date.now())
      if (idleMs < this.#checkAfterIdleMs || (await isAlive(client))) return client
      client.release(true)
    }
  }

  #release(client: pg.PoolClient): void {
    this.#releasedAtMs.set(client, Date.now())
    client.release()
  }

  async #giveBack(client: pg.PoolClient): Promise<void> {
    const ignore = () => {}
    client.on('error', ignore)
    try {
      if (client.getTransactionStatus() !== 'I') await client.query(cleaning('ROLLBACK'))
      await client.query(cleaning(this.#settings === '' ? CLEAN_SESSION : `${CLEAN_SESSION}; ${this.#settings}`))
      forgetPrepared(client)
      this.#release(client)
    } catch {
      client.release(true)
    } finally {
      client.off('error', ignore)
    }
  }
}

async function isAlive(client: pg.PoolClient): Promise<boolean> {
  const ignore = () => {}
  client.on('error', ignore)
  const answer = client.query('SELECT 1').then(
    () => true,
    () => false,
  )
  const tooLate = new Promise<boolean>((resolve) => void setTimeout(resolve, CHECK_WITHIN_MS, false).unref())
  return Promise.race([answer, tooLate]).finally(() => client.off('error', ignore))
}

/** Open a pool; connects on first use. */
export function openPostgres(options: PostgresOptions): Database {
  return new PostgresDatabase(options)
}
