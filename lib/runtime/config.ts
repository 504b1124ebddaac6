/** The environment's variables as one checked configuration. */
import { join } from 'node:path'
import { z } from 'zod'
import { type LevelActions, parseLevelActions } from '#lib/gate/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface RuntimeConfig {
  /** Absent: an embedded server of our own. Holds a password: never shown. */
  readonly dbUrl?: string
  readonly host: string
  readonly port: number
  readonly tokensPath?: string
  readonly policyPath?: string
  readonly levelActions: LevelActions
  readonly storageUrl: string
  readonly metadataPath: string
  readonly isDevMode: boolean
  readonly environment: string
  readonly clusterId: string
  readonly agentRole?: string
  /** Absent: the search path that the agent's role has by itself. */
  readonly searchPath?: string
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  readonly assessTimeoutMs: number
  readonly maxRows: number
  readonly maxBytes: number
  readonly maxConnections: number
  readonly approvalTimeoutSeconds: number
  readonly snapshotIntervalSeconds: number
  /** Empty: every table. */
  readonly snapshotTables: readonly string[]
  /** Requests that one principal may make a second; twice as many in a burst. */
  readonly ratePerSecond: number
  /** True: `/metrics` and `/metadata/health` answer without a token. */
  readonly hasPublicMetrics: boolean
  readonly alertWebhook?: string
  /** BACKSTOP_ALERT_SECRET or BACKSTOP_ALERT_SECRET_FILE as given; empty: webhooks are not signed. Never shown. */
  readonly alertSecret: Environment
  readonly tlsCertPath?: string
  readonly tlsKeyPath?: string
}

const wholeNumber = (least: number, most: number, preset: number) =>
  z.coerce.number().int().min(least).max(most).default(preset)
const flag = z
  .enum(['true', 'false', '1', '0'])
  .default('false')
  .transform((text) => text === 'true' || text === '1')
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  )

/** One row per variable: its form and its default. */
const VARIABLES = {
  BACKSTOP_DB_URL: z.string().optional(),
  BACKSTOP_HOST: z.string().default('127.0.0.1'),
  BACKSTOP_PORT: wholeNumber(0, 65_535, 8_080),
  BACKSTOP_TOKENS: z.string().optional(),
  BACKSTOP_POLICY: z.string().optional(),
  BACKSTOP_STORAGE_URL: z.string().optional(),
  BACKSTOP_METADATA_DB: z.string().optional(),
  BACKSTOP_DEV_MODE: flag,
  BACKSTOP_ENVIRONMENT: z.string().default('local'),
  BACKSTOP_CLUSTER_ID: z.string().default('local'),
  BACKSTOP_AGENT_ROLE: z.string().optional(),
  BACKSTOP_SEARCH_PATH: z.string().optional(),
  BACKSTOP_STATEMENT_TIMEOUT_MS: wholeNumber(1, 3_600_000, 30_000),
  BACKSTOP_LOCK_TIMEOUT_MS: wholeNumber(1, 600_000, 5_000),
  BACKSTOP_ASSESS_TIMEOUT_MS: wholeNumber(1, 60_000, 2_000),
  BACKSTOP_MAX_ROWS: wholeNumber(1, 1_000_000, 1_000),
  BACKSTOP_MAX_BYTES: wholeNumber(1, 100_000_000, 1_048_576),
  BACKSTOP_MAX_CONNECTIONS: wholeNumber(1, 1_000, 10),
  BACKSTOP_APPROVAL_TIMEOUT_SECONDS: wholeNumber(1, 2_592_000, 3_600),
  BACKSTOP_SNAPSHOT_INTERVAL_SECONDS: wholeNumber(1, 86_400, 60),
  BACKSTOP_SNAPSHOT_TABLES: list,
  BACKSTOP_RATE_PER_SECOND: wholeNumber(1, 1_000_000, 1_000),
  BACKSTOP_PUBLIC_METRICS: flag,
  BACKSTOP_ALERT_WEBHOOK: z.url({ protocol: /^https?$/ }).optional(),
  BACKSTOP_ALERT_SECRET: z.string().optional(),
  BACKSTOP_ALERT_SECRET_FILE: z.string().optional(),
  BACKSTOP_TLS_CERT: z.string().optional(),
  BACKSTOP_TLS_KEY: z.string().optional(),
} as const

const schema = z.object(VARIABLES)

function problemText(issue: z.core.$ZodIssue): string {
  return `${String(issue.path[0])}: ${issue.message}`
}

function readVariables(environment: Environment): z.infer<typeof schema> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw new BackstopError(
    'CONFIG_INVALID',
    `The environment is malformed. ${parsed.error.issues.map(problemText).join('; ')}.`,
  )
}

/**
 * Read the configuration; what is kept on disk goes to `dataFolder` unless a variable says otherwise.
 *
 * Throws: CONFIG_INVALID naming every malformed variable
 */
export function readConfig(environment: Environment, dataFolder: string): RuntimeConfig {
  const read = readVariables(environment)
  if ((read.BACKSTOP_TLS_CERT === undefined) !== (read.BACKSTOP_TLS_KEY === undefined)) {
    throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_TLS_CERT and BACKSTOP_TLS_KEY are set together or not at all.')
  }
  return {
    ...optional('dbUrl', read.BACKSTOP_DB_URL),
    host: read.BACKSTOP_HOST,
    port: read.BACKSTOP_PORT,
    ...optional('tokensPath', read.BACKSTOP_TOKENS),
    ...optional('policyPath', read.BACKSTOP_POLICY),
    levelActions: parseLevelActions(environment),
    storageUrl: read.BACKSTOP_STORAGE_URL ?? `file://${join(dataFolder, 'storage')}`,
    metadataPath: read.BACKSTOP_METADATA_DB ?? join(dataFolder, 'backstop.db'),
    isDevMode: read.BACKSTOP_DEV_MODE,
    environment: read.BACKSTOP_ENVIRONMENT,
    clusterId: read.BACKSTOP_CLUSTER_ID,
    ...optional('agentRole', read.BACKSTOP_AGENT_ROLE),
    ...optional('searchPath', read.BACKSTOP_SEARCH_PATH),
    statementTimeoutMs: read.BACKSTOP_STATEMENT_TIMEOUT_MS,
    lockTimeoutMs: read.BACKSTOP_LOCK_TIMEOUT_MS,
    assessTimeoutMs: read.BACKSTOP_ASSESS_TIMEOUT_MS,
    maxRows: read.BACKSTOP_MAX_ROWS,
    maxBytes: read.BACKSTOP_MAX_BYTES,
    maxConnections: read.BACKSTOP_MAX_CONNECTIONS,
    approvalTimeoutSeconds: read.BACKSTOP_APPROVAL_TIMEOUT_SECONDS,
    snapshotIntervalSeconds: read.BACKSTOP_SNAPSHOT_INTERVAL_SECONDS,
    snapshotTables: read.BACKSTOP_SNAPSHOT_TABLES,
    ratePerSecond: read.BACKSTOP_RATE_PER_SECOND,
    hasPublicMetrics: read.BACKSTOP_PUBLIC_METRICS,
    ...optional('alertWebhook', read.BACKSTOP_ALERT_WEBHOOK),
    alertSecret: alertSecretOf(read),
    ...optional('tlsCertPath', read.BACKSTOP_TLS_CERT),
    ...optional('tlsKeyPath', read.BACKSTOP_TLS_KEY),
  }
}

function alertSecretOf(read: z.infer<typeof schema>): Environment {
  const { BACKSTOP_ALERT_SECRET: secret, BACKSTOP_ALERT_SECRET_FILE: file } = read
  return {
    ...(secret === undefined ? {} : { BACKSTOP_ALERT_SECRET: secret }),
    ...(file === undefined ? {} : { BACKSTOP_ALERT_SECRET_FILE: file }),
  }
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [K in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: string }
}
