/** The whole product in one process: opened, serving, and closed again in order. */
import { readFile } from 'node:fs/promises'
import {
  createTimerSchedule,
  type HttpServerOptions,
  openHttpServer,
  startCluster,
} from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { createMetrics } from '#lib/api/index.ts'
import { BackstopError } from '#lib/kernel/index.ts'
import {
  countRefusals,
  executionSettings,
  type Log,
  openParts,
  type Parts,
  refreshFigures,
} from '#lib/product/index.ts'
import { openApi } from './api.ts'
import { openCaptureHelp } from './capture-help.ts'
import type { RuntimeConfig } from './config.ts'
import { openGateDatabases } from './connect.ts'
import { drillGround } from './drill-ground.ts'
import { logToStandardError } from './log.ts'
import { openNotifying } from './notify.ts'
import { openMetadataFile, openStorage } from './storage.ts'
import { openSyncDoor } from './sync-door.ts'
import { SYSTEM } from './system.ts'
import { reportTask, tasksOf } from './tasks.ts'
import { connectDatabase } from './tools/index.ts'
import { openWatchedFiles } from './watched-files.ts'

export interface ProductOptions {
  readonly config: RuntimeConfig
  readonly version: string
  /** Text of a token file to use where the configuration names none: for demonstrations. */
  readonly tokens?: string
  /** Kept data of the embedded server; absent: a temporary folder. Not used with a `dbUrl`. */
  readonly clusterFolder?: string
  /** Called once on a new embedded database, with the superuser's URL. */
  seed?(url: string): Promise<void>
  readonly log?: Log
}

export interface RunningProduct {
  readonly url: string
  /** Where the background's health is; absent: nowhere. */
  readonly syncUrl?: string
  /** `host:port/name`. */
  readonly databaseLabel: string
  /** With its password: for the process that started it alone. */
  readonly databaseUrl: string
  readonly parts: Parts
  /** Finish what runs, seal what is written, end the embedded server. Idempotent. */
  stop(): Promise<void>
}

const CAPTURE_CONNECTIONS = 4
const DRAIN_DEADLINE_MS = 30_000

/** What has been opened, closed in the opposite order; the first failure is thrown when all is closed. */
class Openings {
  readonly #closers: (() => Promise<unknown>)[] = []

  add(close: () => Promise<unknown>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    let first: unknown
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      await close().catch((error: unknown) => {
        first ??= error
      })
    }
    if (first !== undefined) throw first
  }
}

async function openDatabaseUrl(options: ProductOptions, openings: Openings): Promise<string> {
  if (options.config.dbUrl !== undefined) return options.config.dbUrl
  const { clusterFolder } = options
  const cluster = await startCluster(clusterFolder === undefined ? {} : { folder: clusterFolder })
  openings.add(() => cluster.stop())
  const url = cluster.urlFor('postgres')
  await options.seed?.(url)
  return url
}

async function openAll(options: ProductOptions, openings: Openings): Promise<RunningProduct> {
  const { config, version } = options
  const log = options.log ?? logToStandardError
  let parts: Parts | undefined
  const files = await openWatchedFiles(
    config,
    options.tokens,
    { onPolicyChange: (from, to) => recordPolicy(parts, from, to) },
    log,
  )
  const databaseUrl = await openDatabaseUrl(options, openings)
  const database = await connectDatabase(databaseUrl, CAPTURE_CONNECTIONS)
  openings.add(() => database.close())
  const execution = await executionSettings(config, database)
  const gateDatabases = openGateDatabases(databaseUrl, config, execution)
  for (const one of Object.values(gateDatabases)) openings.add(() => one.close())
  const records = openMetadataFile(config.metadataPath)
  openings.add(() => records.close())
  const objects = await openStorage(config.storageUrl)
  const notifying = openNotifying(config, records, log, async (delivery) => parts?.alerts.noteDelivery(delivery))
  const { notifier, queue } = notifying
  const metrics = countRefusals(createMetrics({ version, environment: config.environment, hasProcessMetrics: true }))
  metrics.setCaptureHealth('starting')
  const foundation = { settings: config, records, notifier, metrics, log, ...SYSTEM }
  const stores = {
    ...{ database, gateDatabases, execution, objects, auditObjects: objects, columnar: parquet },
    ...openCaptureHelp(config, foundation, { database, databaseUrl, objects }),
  }
  parts = await openParts(foundation, stores, files.policy)
  const opened = parts
  // A predecessor that was killed left events open: their outcome is not known, and nobody may guess it.
  await opened.ledger.reconcile(0)
  openings.add(async () => {
    await opened.gate.settled()
    await opened.ledger.sealDue()
  })
  queue.start()
  openings.add(() => queue.stop())
  const schedule = createTimerSchedule({ onFailure: reportTask(opened, log) })
  const ground = drillGround(config.storageUrl, databaseUrl)
  const stopping = new AbortController()
  for (const task of tasksOf(opened, config, records, files, ground, { signal: stopping.signal })) schedule.add(task)
  opened.metrics.beforeScrape(refreshFigures(opened))
  const api = openApi(config, opened, files.tokens, { version, alertTargets: notifying.targets })
  schedule.start()
  openings.add(async () => {
    stopping.abort()
    await schedule.stop()
  })
  const server = await openHttpServer(api.handle, {
    host: config.host,
    port: config.port,
    ...(await readTls(config)),
  })
  openings.add(async () => {
    api.drain()
    await server.close(DRAIN_DEADLINE_MS)
  })
  const sync = await openSyncDoor(config, opened, api.handle, log)
  if (sync !== undefined) openings.add(() => sync.close(DRAIN_DEADLINE_MS))
  return {
    ...(sync === undefined ? {} : { syncUrl: sync.url }),
    url: server.url,
    databaseLabel: database.label,
    databaseUrl,
    parts: opened,
    stop: () => openings.close(),
  }
}

async function readTls(config: RuntimeConfig): Promise<Pick<HttpServerOptions, 'tls'>> {
  if (config.tlsCertPath === undefined || config.tlsKeyPath === undefined) return {}
  try {
    return {
      tls: { certificate: await readFile(config.tlsCertPath, 'utf8'), key: await readFile(config.tlsKeyPath, 'utf8') },
    }
  } catch {
    throw new BackstopError('CONFIG_INVALID', 'The files of BACKSTOP_TLS_CERT and BACKSTOP_TLS_KEY cannot be read.')
  }
}

async function recordPolicy(parts: Parts | undefined, from: string, to: string): Promise<void> {
  await parts?.ledger.record(
    { action: 'policy-changed', principal: 'policy-file', facts: { from, to } },
    { outcome: 'recorded' },
  )
}

/**
 * Start everything; whatever was opened is closed again when a part cannot start.
 *
 * Throws: CONFIG_INVALID, POLICY_INVALID, POLICY_MISSING, TOKENS_INVALID, DATABASE_UNREACHABLE, PORT_TAKEN, …
 */
export async function startProduct(options: ProductOptions): Promise<RunningProduct> {
  const openings = new Openings()
  try {
    return await openAll(options, openings)
  } catch (error) {
    await openings.close().catch(() => {})
    throw error
  }
}
