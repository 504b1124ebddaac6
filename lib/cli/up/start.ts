/** Starts the product as `up` was asked to: in front of a database, or on an embedded one with the demonstration shop. */
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from '#lib/adapters/system/index.ts'
import { createTokenRegistry, type TokenSummary } from '#lib/api/index.ts'
import { type Log, type RunningProduct, type RuntimeConfig, readConfig, startProduct } from '#lib/runtime/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { readVersion } from '../frame/index.ts'
import { makeShopTokens, type ShopTokens, seedShop } from '../shop/index.ts'

export interface StartOrder {
  /** Kept; absent: beside a given database `.backstop`, else a temporary folder that is removed at the end. */
  readonly dataFolder?: string
  readonly port?: number
  readonly log?: Log
}

export interface StartedProduct {
  readonly product: RunningProduct
  readonly config: RuntimeConfig
  readonly isEmbedded: boolean
  readonly dataFolder: string
  /** Readable by its owner alone: the URL of the embedded database with its password, for `recover` and `psql`. */
  readonly databaseUrlFile?: string
  readonly tokenList: readonly TokenSummary[]
  /** Generated where no token file is named and the database is embedded. */
  readonly shopTokens?: ShopTokens
  /** Idempotent; leaves nothing behind that was not asked to be kept. */
  stop(): Promise<void>
}

type Environment = CommandContext['environment']

interface DataFolder {
  readonly path: string
  readonly isEmbedded: boolean
  readonly isTemporary: boolean
}

async function openDataFolder(order: StartOrder, environment: Environment): Promise<DataFolder> {
  const isEmbedded = (environment['BACKSTOP_DB_URL'] ?? '') === ''
  if (order.dataFolder === undefined && isEmbedded) {
    const path = await mkdtemp(join(tmpdir(), 'backstop-'))
    // Also where the process ends without asking anybody.
    process.once('exit', () => rmSync(path, { recursive: true, force: true }))
    return { path, isEmbedded, isTemporary: true }
  }
  const path = resolve(order.dataFolder ?? '.backstop')
  // The server may run as another user than we do and has to pass through; what is ours in it is closed.
  await mkdir(path, { recursive: true, mode: 0o711 })
  await mkdir(join(path, 'storage'), { recursive: true, mode: 0o700 })
  return { path, isEmbedded, isTemporary: false }
}

async function writeDatabaseUrl(folder: DataFolder, url: string): Promise<{ readonly databaseUrlFile?: string }> {
  if (!folder.isEmbedded) return {}
  const databaseUrlFile = join(folder.path, 'database-url')
  await rm(databaseUrlFile, { force: true })
  await writeFile(databaseUrlFile, `${url}\n`, { mode: 0o600, flag: 'wx' })
  return { databaseUrlFile }
}

/** The file was good a moment ago; a version that is not is told by the product itself. */
async function listTokens(config: RuntimeConfig, shopTokens: ShopTokens | undefined): Promise<readonly TokenSummary[]> {
  const { tokensPath, isDevMode } = config
  const text = tokensPath === undefined ? shopTokens?.fileText : await readFile(tokensPath, 'utf8').catch(() => '')
  try {
    return createTokenRegistry({ isDevMode, clock: systemClock, ...(text === undefined ? {} : { text }) }).list()
  } catch {
    return []
  }
}

/** Throws what `startProduct` throws; a temporary folder is gone then too. */
export async function startUp(order: StartOrder, given: Environment): Promise<StartedProduct> {
  const environment = order.port === undefined ? given : { ...given, BACKSTOP_PORT: String(order.port) }
  const folder = await openDataFolder(order, environment)
  const removeFolder = async () => {
    if (folder.isTemporary) await rm(folder.path, { recursive: true, force: true })
  }
  try {
    const config = readConfig(environment, folder.path)
    const shopTokens = folder.isEmbedded && config.tokensPath === undefined ? makeShopTokens() : undefined
    const product = await startProduct({
      config,
      version: readVersion(),
      seed: seedShop,
      ...(folder.isTemporary ? {} : { clusterFolder: join(folder.path, 'postgres') }),
      ...(shopTokens === undefined ? {} : { tokens: shopTokens.fileText }),
      ...(order.log === undefined ? {} : { log: order.log }),
    })
    return {
      product,
      config,
      isEmbedded: folder.isEmbedded,
      dataFolder: folder.path,
      ...(await writeDatabaseUrl(folder, product.databaseUrl)),
      tokenList: await listTokens(config, shopTokens),
      ...(shopTokens === undefined ? {} : { shopTokens }),
      stop: () => product.stop().finally(removeFolder),
    }
  } catch (error) {
    await removeFolder()
    throw error
  }
}
