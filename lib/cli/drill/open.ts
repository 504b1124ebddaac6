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
  let drill: StoredDrill
  try {
    drill = await run(tools, storageUrl)
  } finally {
    await tools.close()
  }
  await tellIfKept(drill, metadataPath, environment)
  return drill
}

/** Where there is metadata, whoever watches it is told of what failed. */
export async function tellIfKept(
  drill: StoredDrill,
  metadataPath: string | undefined,
  environment: CommandContext['environment'],
): Promise<void> {
  if (drill.evidence.result === 'ok' || metadataPath === undefined) return
  // Loaded when it is needed: most drills end well.
  const { tellDrill } = await import('#lib/runtime/index.ts')
  await tellDrill(drill, metadataPath, environment)
}
