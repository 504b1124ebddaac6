/** Make the data folder of an embedded cluster, once. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackstopError } from '#lib/kernel/index.ts'
import { canOthersReach, isRoot, type ServerBinaries, UNPRIVILEGED_ID } from './binaries.ts'

export const SUPERUSER = 'postgres'

export interface ClusterFolder {
  readonly dataFolder: string
  readonly password: string
}

function own(path: string): void {
  if (isRoot()) chownSync(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
}

function runInitdb(binaries: ServerBinaries, dataFolder: string, passwordFile: string): void {
  const args = ['-D', dataFolder, '-U', SUPERUSER, '--auth=scram-sha-256', '--pwfile', passwordFile]
  const done = spawnSync(
    join(binaries.binFolder, 'initdb'),
    [...args, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync', '--no-instructions'],
    { encoding: 'utf8', ...(isRoot() ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {}) },
  )
  if (done.status === 0) return
  const said = done.error?.message ?? done.stderr.trim().split('\n').slice(-3).join(' ')
  throw new BackstopError('DATABASE_START_FAILED', `initdb failed: ${said}`)
}

/**
 * Initialize `folder` as a cluster with a random superuser password, or open the one that it already holds.
 *
 * Effects: writes `<folder>/data` and `<folder>/superuser-password` (readable by its owner only)
 * Throws:  DATABASE_START_FAILED
 */
export function initializeCluster(binaries: ServerBinaries, folder: string): ClusterFolder {
  mkdirSync(folder, { recursive: true })
  if (isRoot() && !canOthersReach(join(folder, '..'))) {
    throw new BackstopError(
      'DATABASE_START_FAILED',
      `The server runs as an unprivileged user and cannot enter ${folder}. Choose a --data folder outside of private homes.`,
    )
  }
  own(folder)
  chmodSync(folder, 0o700)
  const dataFolder = join(folder, 'data')
  const passwordFile = join(folder, 'superuser-password')
  if (existsSync(join(dataFolder, 'PG_VERSION'))) {
    return { dataFolder, password: readFileSync(passwordFile, 'utf8').trim() }
  }
  rmSync(dataFolder, { recursive: true, force: true })
  const password = randomBytes(18).toString('base64url')
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  own(passwordFile)
  runInitdb(binaries, dataFolder, passwordFile)
  return { dataFolder, password }
}
