/** The environment's variables as one checked configuration. */
import { join } from 'node:path'
import { z } from 'zod'
import { readFormedUrl, WEBHOOK_FORMS, type WebhookForm } from '#lib/adapters/webhook/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import {
  type Environment,
  optional,
  PRODUCT_VARIABLES,
  type ProductSettings,
  productSettings,
  readVariables,
  wholeNumber,
} from '#lib/product/index.ts'

export interface RuntimeConfig extends ProductSettings {
  /** Absent: an embedded server of our own. Holds a password: never shown. */
  readonly dbUrl?: string
  readonly host: string
  readonly port: number
  readonly tokensPath?: string
  readonly policyPath?: string
  readonly storageUrl: string
  readonly metadataPath: string
  /** Addresses, each perhaps with its form before it: `slack+https://…`. Never shown. */
  readonly alertWebhooks: readonly string[]
  /** Absent: the address decides. */
  readonly alertFormat?: WebhookForm
  /** BACKSTOP_ALERT_SECRET and BACKSTOP_ALERT_ROUTING_KEY, or their _FILE, as given; empty: nothing is signed. Never shown. */
  readonly alertSecret: Environment
  /** Time between two looks for sessions past the gate. */
  readonly watchIntervalSeconds: number
  /** Tables with more megabytes than this are captured by a thread of their own; 0: none is. */
  readonly captureThreadMegabytes: number
  /** Where the background's health is asked for. */
  readonly syncHost: string
  /** 0: any free port; undefined: nowhere. */
  readonly syncPort?: number
  /** It was asked for by name: then a taken port is an error. */
  readonly isSyncPortGiven: boolean
  readonly tlsCertPath?: string
  readonly tlsKeyPath?: string
}

/** Addresses separated by white space, or by a comma before the next one. */
const webhookList = z
  .string()
  .default('')
  .transform((text) =>
    text.split(/[\s,]+(?=[a-z]+(?:\+https?)?:)/i).flatMap((one) => (one.trim() === '' ? [] : [one.trim()])),
  )
  .refine((all) => all.every((one) => z.url({ protocol: /^https?$/ }).safeParse(readFormedUrl(one).url).success), {
    error: 'must be http or https addresses',
  })

const SYNC_PORT = 9_091

/** Where the gateway takes any free port, so does this: one process beside another. */
function syncPort(given: 'off' | number | undefined, port: number): Pick<RuntimeConfig, 'syncPort'> {
  if (given === 'off') return {}
  return { syncPort: given ?? (port === 0 ? 0 : SYNC_PORT) }
}

/** One row per variable: its form and its default. */
const VARIABLES = {
  ...PRODUCT_VARIABLES,
  BACKSTOP_DB_URL: z.string().optional(),
  BACKSTOP_HOST: z.string().default('127.0.0.1'),
  BACKSTOP_PORT: wholeNumber(0, 65_535, 8_080),
  BACKSTOP_TOKENS: z.string().optional(),
  BACKSTOP_POLICY: z.string().optional(),
  BACKSTOP_STORAGE_URL: z.string().optional(),
  BACKSTOP_METADATA_DB: z.string().optional(),
  BACKSTOP_ALERT_WEBHOOK: webhookList,
  BACKSTOP_ALERT_FORMAT: z.enum(WEBHOOK_FORMS).optional(),
  BACKSTOP_ALERT_SECRET: z.string().optional(),
  BACKSTOP_ALERT_SECRET_FILE: z.string().optional(),
  BACKSTOP_ALERT_ROUTING_KEY: z.string().optional(),
  BACKSTOP_ALERT_ROUTING_KEY_FILE: z.string().optional(),
  BACKSTOP_WATCH_INTERVAL_SECONDS: wholeNumber(1, 3_600, 10),
  BACKSTOP_CAPTURE_THREAD_MEGABYTES: wholeNumber(0, 10_000_000, 32),
  BACKSTOP_SYNC_HOST: z.string().default('127.0.0.1'),
  BACKSTOP_SYNC_PORT: z.union([z.literal('off'), z.coerce.number().int().min(0).max(65_535)]).optional(),
  BACKSTOP_TLS_CERT: z.string().optional(),
  BACKSTOP_TLS_KEY: z.string().optional(),
} as const

const schema = z.object(VARIABLES)

/**
 * Read the configuration; what is kept on disk goes to `dataFolder` unless a variable says otherwise.
 *
 * Throws: CONFIG_INVALID naming every malformed variable
 */
export function readConfig(environment: Environment, dataFolder: string): RuntimeConfig {
  const read = readVariables(schema, environment)
  if ((read.BACKSTOP_TLS_CERT === undefined) !== (read.BACKSTOP_TLS_KEY === undefined)) {
    throw new BackstopError('CONFIG_INVALID', 'BACKSTOP_TLS_CERT and BACKSTOP_TLS_KEY are set together or not at all.')
  }
  return {
    ...productSettings(read, environment),
    ...optional('dbUrl', read.BACKSTOP_DB_URL),
    host: read.BACKSTOP_HOST,
    port: read.BACKSTOP_PORT,
    ...optional('tokensPath', read.BACKSTOP_TOKENS),
    ...optional('policyPath', read.BACKSTOP_POLICY),
    storageUrl: read.BACKSTOP_STORAGE_URL ?? `file://${join(dataFolder, 'storage')}`,
    metadataPath: read.BACKSTOP_METADATA_DB ?? join(dataFolder, 'backstop.db'),
    alertWebhooks: read.BACKSTOP_ALERT_WEBHOOK,
    ...(read.BACKSTOP_ALERT_FORMAT === undefined ? {} : { alertFormat: read.BACKSTOP_ALERT_FORMAT }),
    alertSecret: {
      ...optional('BACKSTOP_ALERT_SECRET', read.BACKSTOP_ALERT_SECRET),
      ...optional('BACKSTOP_ALERT_SECRET_FILE', read.BACKSTOP_ALERT_SECRET_FILE),
      ...optional('BACKSTOP_ALERT_ROUTING_KEY', read.BACKSTOP_ALERT_ROUTING_KEY),
      ...optional('BACKSTOP_ALERT_ROUTING_KEY_FILE', read.BACKSTOP_ALERT_ROUTING_KEY_FILE),
    },
    watchIntervalSeconds: read.BACKSTOP_WATCH_INTERVAL_SECONDS,
    captureThreadMegabytes: read.BACKSTOP_CAPTURE_THREAD_MEGABYTES,
    syncHost: read.BACKSTOP_SYNC_HOST,
    ...syncPort(read.BACKSTOP_SYNC_PORT, read.BACKSTOP_PORT),
    isSyncPortGiven: read.BACKSTOP_SYNC_PORT !== undefined,
    ...optional('tlsCertPath', read.BACKSTOP_TLS_CERT),
    ...optional('tlsKeyPath', read.BACKSTOP_TLS_KEY),
  }
}
