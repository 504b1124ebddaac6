/** Opens the points and the metadata that flags and environment name; both may be in use by a running gateway. */
import { userInfo } from 'node:os'
import { BackstopError } from '#lib/kernel/index.ts'
import { openRetentionTools, type RetentionTools, readConfig } from '#lib/runtime/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { existingMetadata, existingStorage, METADATA_FLAG, placesIn, STORAGE_FLAG, text } from '../frame/index.ts'

export const RETENTION_FLAGS = {
  storage: STORAGE_FLAG,
  metadataDb: METADATA_FLAG,
  data: text('--data <folder>', 'the folder of "backstop up --data", instead of the two above'),
}

interface RetentionFlags {
  readonly storage: string | undefined
  readonly metadataDb: string | undefined
  readonly data: string | undefined
}

/** Pins and approvals are in the metadata: without it nothing may be removed. Throws USAGE_INVALID, STORAGE_UNREACHABLE, METADATA_UNREACHABLE. */
export async function openRetention(flags: RetentionFlags, context: CommandContext): Promise<RetentionTools> {
  const { environment } = context
  const kept = flags.data === undefined ? undefined : placesIn(flags.data)
  const storageUrl = existingStorage(flags.storage ?? kept?.storageUrl, environment)
  const metadataPath = existingMetadata(flags.metadataDb ?? kept?.metadataPath, environment)
  if (metadataPath === undefined)
    throw new BackstopError('USAGE_INVALID', 'give --metadata-db or set BACKSTOP_METADATA_DB')
  return await openRetentionTools({ ...readConfig(environment, '.'), storageUrl, metadataPath })
}

/** Who is written down when nobody is named: the account that runs the command. */
export function operatorName(given: string | undefined): string {
  if (given !== undefined && given.trim() !== '') return given.trim()
  try {
    return `os:${userInfo().username}`
  } catch {
    return 'os:unknown'
  }
}
