/** Opens the ledger that flags and environment name; it may be in use by a running gateway. */
import { BackstopError } from '#lib/kernel/index.ts'
import { type LedgerTools, openLedgerTools, type RuntimeConfig, readConfig } from '#lib/runtime/index.ts'
import type { CommandContext } from '../frame/index.ts'
import { existingMetadata, existingStorage, METADATA_FLAG, placesIn, STORAGE_FLAG, text } from '../frame/index.ts'

export const LEDGER_FLAGS = {
  storage: STORAGE_FLAG,
  metadataDb: METADATA_FLAG,
  data: text('--data <folder>', 'the folder of "backstop up --data", instead of the two above'),
}

interface LedgerFlags {
  readonly storage: string | undefined
  readonly metadataDb: string | undefined
  readonly data: string | undefined
}

export interface OpenedLedger extends LedgerTools {
  readonly config: RuntimeConfig
}

/** Throws USAGE_INVALID, STORAGE_UNREACHABLE, METADATA_UNREACHABLE. */
export async function openLedger(flags: LedgerFlags, context: CommandContext): Promise<OpenedLedger> {
  const { environment } = context
  const kept = flags.data === undefined ? undefined : placesIn(flags.data)
  const storageUrl = existingStorage(flags.storage ?? kept?.storageUrl, environment)
  const metadataPath = existingMetadata(flags.metadataDb ?? kept?.metadataPath, environment)
  if (metadataPath === undefined)
    throw new BackstopError('USAGE_INVALID', 'give --metadata-db or set BACKSTOP_METADATA_DB')
  const config = { ...readConfig(environment, '.'), storageUrl, metadataPath }
  return { ...(await openLedgerTools(config)), config }
}
