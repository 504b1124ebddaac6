/** Finds PostgreSQL's programs: where they were named, on the path, or where packages put them. */
import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'

/** Folders with one folder a version below them, and what follows that. */
const PACKAGED: readonly (readonly [parent: string, bin: string])[] = [
  ['/usr/lib/postgresql', 'bin'],
  ['/usr/local/opt', 'bin'],
  ['/opt/homebrew/opt', 'bin'],
  ['/usr', 'bin'],
]
const VERSIONED = /^(?:pgsql-|postgresql@|libpq@?)?(\d+)?$/

async function isProgram(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/** Newest version first. */
async function packagedFolders(): Promise<string[]> {
  const found: { readonly folder: string; readonly version: number }[] = []
  for (const [parent, bin] of PACKAGED) {
    for (const name of await readdir(parent).catch(() => [])) {
      const match = VERSIONED.exec(name)
      if (match) found.push({ folder: join(parent, name, bin), version: Number(match[1] ?? 0) })
    }
  }
  return found.sort((left, right) => right.version - left.version).map(({ folder }) => folder)
}

export interface ProgramPlaces {
  /** By name: `{ pg_dump: '/opt/pg17/bin/pg_dump' }`. */
  readonly named: Readonly<Record<string, string | undefined>>
  /** `PATH`. */
  readonly path: string | undefined
}

/** Throws NATIVE_TOOL_MISSING. */
export async function findProgram(tool: string, places: ProgramPlaces): Promise<string> {
  const named = places.named[tool]
  if (named !== undefined) {
    if (await isProgram(named)) return named
    throw new BackstopError('NATIVE_TOOL_MISSING', `${named} cannot be run as ${tool}`)
  }
  const onPath = (places.path ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const folder of [...onPath, ...(await packagedFolders())]) {
    const path = join(folder, tool)
    if (await isProgram(path)) return path
  }
  throw new BackstopError('NATIVE_TOOL_MISSING', `${tool} is not installed here`)
}

/** The folder of a server of this major version, with `postgres` in it. Throws NATIVE_TOOL_MISSING. */
export async function findServerFolder(
  major: string,
  places: { readonly named?: string | undefined; readonly path: string | undefined },
  versionOf: (program: string) => Promise<string>,
): Promise<{ readonly folder: string; readonly version: string }> {
  const onPath = (places.path ?? '').split(delimiter).filter((folder) => folder !== '')
  const folders = places.named === undefined ? [...(await packagedFolders()), ...onPath] : [places.named]
  for (const folder of folders) {
    const program = join(folder, 'postgres')
    if (!(await isProgram(program))) continue
    const version = await versionOf(program).catch(() => '')
    if (new RegExp(`\\) ${major}(?:\\D|$)`).test(version)) return { folder, version }
  }
  throw new BackstopError('NATIVE_TOOL_MISSING', `no server of PostgreSQL ${major} is installed here`)
}
