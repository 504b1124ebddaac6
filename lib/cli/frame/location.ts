/** Where a command finds what the product has stored; reading commands never make it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BackstopError } from '#lib/kernel/index.ts'
import { text } from './flag.ts'
import type { CommandContext } from './model.ts'
import { findSetting } from './setting.ts'

export const STORAGE_FLAG = text(
  '--storage <url>',
  'where recovery points are: file:///folder or s3://bucket[/prefix][@endpoint] (BACKSTOP_STORAGE_URL)',
)
export const METADATA_FLAG = text(
  '--metadata-db <path>',
  'the metadata: a file, or dynamodb://table[@endpoint] (BACKSTOP_METADATA_DB)',
)
export const DATABASE_FLAG = text('--db <url>', 'the database: postgresql://user@host/name (BACKSTOP_DB_URL)')

/** The places in a folder of `backstop up --data`. */
export function placesIn(dataFolder: string): { readonly storageUrl: string; readonly metadataPath: string } {
  return { storageUrl: `file://${join(dataFolder, 'storage')}`, metadataPath: join(dataFolder, 'backstop.db') }
}

/** A folder that is not there is a mistake to tell of, not an empty storage. Throws USAGE_INVALID, STORAGE_UNREACHABLE. */
export function existingStorage(given: string | undefined, environment: CommandContext['environment']): string {
  const url = findSetting(given, 'BACKSTOP_STORAGE_URL', environment)
  if (url === undefined) throw new BackstopError('USAGE_INVALID', 'give --storage or set BACKSTOP_STORAGE_URL')
  if (url.startsWith('file:') && URL.canParse(url) && !existsSync(fileURLToPath(url))) {
    throw new BackstopError('STORAGE_UNREACHABLE', `there is no folder at ${url}`)
  }
  return url
}

/** Undefined when none is named. Throws METADATA_UNREACHABLE for a file that is not there. */
export function existingMetadata(
  given: string | undefined,
  environment: CommandContext['environment'],
): string | undefined {
  const path = findSetting(given, 'BACKSTOP_METADATA_DB', environment)
  if (path === undefined || path.startsWith('dynamodb:') || existsSync(path)) return path
  throw new BackstopError('METADATA_UNREACHABLE', `there is no metadata database at ${path}`)
}
