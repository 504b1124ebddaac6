/** A command before it is loaded: its words, and where its module is. */
import type { Command } from './define.ts'

export interface CommandEntry {
  /** Words of the command: `snapshots list`. */
  readonly path: readonly [string, ...string[]]
  /** Imports the module of this command and no other. */
  load(): Promise<Command>
}

/** `pick` takes the command out of the module: `entry('up', () => import('./up/up.ts'), (module) => module.up)`. */
export function entry<M>(words: string, load: () => Promise<M>, pick: (module: M) => Command): CommandEntry {
  const path = words.split(' ') as [string, ...string[]]
  return { path, load: async () => pick(await load()) }
}

/** Those of `entries` that `isWanted`; of the others the words alone, so that a misspelt one is known. */
export async function loadCommands(
  entries: readonly CommandEntry[],
  isWanted: (entry: CommandEntry) => boolean,
): Promise<readonly Command[]> {
  return await Promise.all(entries.map(async (one) => (isWanted(one) ? await one.load() : stubOf(one))))
}

/** Stands in the parser for a command that was not asked for. */
function stubOf({ path }: CommandEntry): Command {
  return { path, summary: '', args: [], flags: {}, json: '', examples: [], run: async () => undefined }
}
