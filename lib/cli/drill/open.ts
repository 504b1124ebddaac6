/** Opens what a drill works with, and closes it when the drill is over. */
import type { StoredDrill } from '#lib/recovery/index.ts'
import { type DrillTools, openDrillTools } from '#lib/runtime/tools/index.ts'
import { type CommandContext, existingStorage, findSetting, METADATA_FLAG, STORAGE_FLAG } from '../frame/index.ts'

export const DRILL_FLAGS = { storage: STORAGE_FLAG, metadataDb: METADATA_FLAG }

interface DrillFlags {
  readonly storage: string | undefined
  readonly metadataDb: string | undefined
}

interface Programs {
  readonly programs?: Readonly<Record<string, string | undefined>>
  readonly serverFolder?: string | undefined
}

/** Throws USAGE_INVALID, STORAGE_UNREACHABLE, METADATA_UNREACHABLE. */
export async function withDrillTools(
  flags: DrillFlags,
  { environment }: CommandContext,
  run: (tools: DrillTools, storageUrl: string) => Promise<StoredDrill>,
  native: Programs = {},
): Promise<StoredDrill> {
  const storageUrl = existingStorage(flags.storage, environment)
  const metadataPath = findSetting(flags.metadataDb, 'BACKSTOP_METADATA_DB', environment)
  const tools = await openDrillTools({ storageUrl, metadataPath, environment, ...native })
  try {
    return await run(tools, storageUrl)
  } finally {
    await tools.close()
  }
}
