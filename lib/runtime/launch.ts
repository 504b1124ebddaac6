/** The doctor's look before the launch: everything opened as the gateway would open it, and closed again. */
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { createNativeTools, localFiles } from '#lib/adapters/native/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import {
  type ActivePolicy,
  activatePolicy,
  defaultPolicy,
  formatProblem,
  parseLevelActions,
  parsePolicy,
} from '#lib/gate/index.ts'
import { BackstopError, isBackstopError, type RelationName } from '#lib/kernel/index.ts'
import type { Database } from '#lib/ports/index.ts'
import { type Environment, examineLaunch, type LaunchReport } from '#lib/product/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { readConfig } from './config.ts'
import { openMetadata } from './storage.ts'
import { SYSTEM } from './system.ts'
import { connectDatabase, openStorageGround } from './tools/index.ts'
import { NO_DATABASE } from './tools/recovery-tools.ts'

export interface LaunchPlaces {
  readonly storageUrl: string
  readonly metadataPath: string | undefined
  /** Holds a password: never shown. */
  readonly databaseUrl: string | undefined
  readonly tables: readonly RelationName[]
  readonly clusterId: string | undefined
  readonly tokensPath: string | undefined
  readonly policyPath: string | undefined
  readonly maxDrillAgeDays: number
  readonly isStrict: boolean
  readonly environment: Environment
}

/** Throws STORAGE_URL_INVALID, STORAGE_UNREACHABLE, METADATA_UNREACHABLE, CONFIG_INVALID. */
export async function openLaunch(places: LaunchPlaces): Promise<LaunchReport> {
  const { environment, metadataPath } = places
  const config = readConfig(environment, tmpdir())
  const { objects, facts } = await openStorageGround(places.storageUrl)
  const records = await openMetadata(metadataPath ?? ':memory:')
  const database = await tryDatabase(places.databaseUrl)
  try {
    const own = database === undefined || database instanceof BackstopError ? NO_DATABASE : database
    const recovery = openRecovery({ ...SYSTEM, objects, records, columnar: parquet, database: own })
    if (metadataPath === undefined) await recovery.rebuildCatalog()
    const ports = {
      ...SYSTEM,
      objects,
      facts,
      recovery,
      database,
      columnar: parquet,
      files: localFiles,
      tools: createNativeTools({ environment }),
    }
    return await examineLaunch(ports, {
      tables: places.tables,
      hasMetadata: metadataPath !== undefined,
      clusterId: places.clusterId,
      agentRole: config.agentRole,
      tokens: { text: await readTokens(places.tokensPath), isDevMode: config.isDevMode },
      policy: await readPolicy(places.policyPath, environment),
      policySource: places.policyPath ?? 'the default policy',
      alertTargetCount: config.alertWebhooks.length,
      folders: {
        'temporary files': tmpdir(),
        'recovery points': facts.kind === 'folder' ? facts.place : undefined,
        metadata:
          metadataPath === undefined || metadataPath.includes('://') ? undefined : dirname(resolve(metadataPath)),
      },
      maxDrillAgeDays: places.maxDrillAgeDays,
      isStrict: places.isStrict,
    })
  } finally {
    await records.close()
    if (database !== undefined && !(database instanceof BackstopError)) await database.close()
  }
}

/** That it cannot be reached is what the doctor tells, and no reason to look at nothing else. */
async function tryDatabase(url: string | undefined): Promise<Database | BackstopError | undefined> {
  if (url === undefined) return undefined
  try {
    return await connectDatabase(url, 2)
  } catch (error) {
    if (isBackstopError(error)) return error
    throw error
  }
}

/** A file that cannot be read counts as one that is malformed. */
async function readTokens(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : await readFile(path, 'utf8').catch(() => '')
}

async function readPolicy(path: string | undefined, environment: Environment): Promise<ActivePolicy | BackstopError> {
  try {
    const levelActions = parseLevelActions(environment)
    if (path === undefined) return activatePolicy(defaultPolicy(), levelActions)
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text === undefined) return new BackstopError('POLICY_MISSING', `The policy file ${path} cannot be read.`)
    const parsed = parsePolicy(text)
    if (parsed.ok) return activatePolicy(parsed.policy, levelActions)
    return new BackstopError('POLICY_INVALID', parsed.problems.map(formatProblem).join('; '))
  } catch (error) {
    if (isBackstopError(error)) return error
    throw error
  }
}
