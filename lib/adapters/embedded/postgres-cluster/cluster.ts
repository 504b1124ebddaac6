/** A PostgreSQL server of our own on loopback, gone with the process that started it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BackstopError } from '#lib/kernel/index.ts'
import { findServerBinaries, isRoot, UNPRIVILEGED_ID } from './binaries.ts'
import { type ClusterFolder, initializeCluster, SUPERUSER } from './initialize.ts'
import type { KeeperOrder } from './keeper.ts'

export interface ClusterOptions {
  /** Kept between starts. Absent: a temporary folder, removed at the end, and no fsync. */
  readonly folder?: string
  /** Where `initdb` and `postgres` are. Absent: the embedded ones. */
  readonly binFolder?: string
  /** Further server settings, such as `{ wal_level: 'logical' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface Cluster {
  readonly host: string
  readonly port: number
  readonly dataFolder: string
  /** A connection URL for the superuser, with its password. Never print it. */
  urlFor(database: string): string
  /** Idempotent. */
  stop(): Promise<void>
}

const READY = 'database system is ready to accept connections'
const START_ATTEMPTS = 5
const START_DEADLINE_MS = 60_000

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new BackstopError('BUG', 'no port from the system')
  return address.port
}

function serverArguments(
  dataFolder: string,
  port: number,
  isTemporary: boolean,
  settings: Readonly<Record<string, string>>,
) {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    logging_collector: 'off',
    timezone: 'UTC',
    max_connections: '100',
    shared_buffers: '64MB',
    ...(isTemporary ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
    ...settings,
  }
  return ['-D', dataFolder, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

/** A server of a killed predecessor may still be shutting down in the same folder. */
async function waitForPredecessor(dataFolder: string): Promise<void> {
  const deadlineMs = performance.now() + START_DEADLINE_MS
  while (performance.now() < deadlineMs) {
    try {
      const pid = Number(readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(pid, 0)
    } catch {
      return
    }
    await delay(50)
  }
  throw new BackstopError('DATABASE_START_FAILED', `Another server is running in ${dataFolder}. Stop it first.`)
}

/** Resolves when the server accepts connections; rejects with its last words when it ends before. */
function waitUntilReady(keeper: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let log = ''
  const fail = (reason: string) =>
    reject(new BackstopError('DATABASE_START_FAILED', `PostgreSQL did not start: ${reason}. ${log.trim().slice(-600)}`))
  const onEnd = (code: number | null) => fail(`it ended with code ${code}`)
  const onLog = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-8_000)
    if (log.includes(READY)) resolve()
  }
  const timer = setTimeout(() => fail('it was not ready in time'), START_DEADLINE_MS)
  keeper.once('close', onEnd)
  keeper.stderr?.on('data', onLog)
  return promise.finally(() => {
    clearTimeout(timer)
    keeper.off('close', onEnd)
    keeper.stderr?.off('data', onLog).resume()
  })
}

function spawnKeeper(order: KeeperOrder): ChildProcess {
  const script = fileURLToPath(new URL('./keeper.ts', import.meta.url))
  const keeper = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, JSON.stringify(order)], {
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  })
  keeper.stdin?.on('error', () => {})
  return keeper
}

/** Let this process end although the keeper runs; the keeper then ends the server. */
function release(keeper: ChildProcess): void {
  for (const handle of [keeper, keeper.stdin as Socket | null, keeper.stderr as Socket | null]) handle?.unref()
}

async function stopKeeper(keeper: ChildProcess): Promise<void> {
  if (keeper.exitCode !== null || keeper.signalCode !== null) return
  keeper.ref()
  const ended = new Promise<void>((resolve) => keeper.once('close', () => resolve()))
  keeper.stdin?.end()
  await ended
}

async function launch(options: ClusterOptions, cluster: ClusterFolder, binFolder: string, removeFolders: string[]) {
  const port = await freePort()
  const args = serverArguments(cluster.dataFolder, port, options.folder === undefined, options.settings ?? {})
  const runAs = isRoot() ? { runAsId: UNPRIVILEGED_ID } : {}
  const keeper = spawnKeeper({ program: join(binFolder, 'postgres'), args, removeFolders, ...runAs })
  try {
    await waitUntilReady(keeper)
    return { keeper, port }
  } catch (error) {
    await stopKeeper(keeper)
    throw error
  }
}

async function startOnce(options: ClusterOptions): Promise<Cluster> {
  const binaries = findServerBinaries(options.binFolder)
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'backstop-postgres-'))
  const removeFolders = [
    ...(options.folder === undefined ? [folder] : []),
    ...(binaries.copyFolder === undefined ? [] : [binaries.copyFolder]),
  ]
  try {
    const cluster = initializeCluster(binaries, folder)
    await waitForPredecessor(cluster.dataFolder)
    const { keeper, port } = await launch(options, cluster, binaries.binFolder, removeFolders)
    release(keeper)
    const host = '127.0.0.1'
    const credentials = `${SUPERUSER}:${encodeURIComponent(cluster.password)}`
    return {
      host,
      port,
      dataFolder: cluster.dataFolder,
      urlFor: (database) => `postgresql://${credentials}@${host}:${port}/${encodeURIComponent(database)}`,
      stop: () => stopKeeper(keeper),
    }
  } catch (error) {
    for (const leftover of removeFolders) rmSync(leftover, { recursive: true, force: true })
    throw error
  }
}

/**
 * Start a server on a free loopback port; on another one when somebody else has bound it in the meantime.
 *
 * Effects: two processes, which end with `stop` and with this process in whatever way it ends
 * Throws:  DATABASE_START_FAILED with the server's last words
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  for (let attempt = 1; ; attempt++) {
    try {
      // From the beginning: with a server that ends, its temporary folders go.
      return await startOnce(options)
    } catch (error) {
      const isPortTaken = String(error).includes('Address already in use')
      if (!isPortTaken || attempt === START_ATTEMPTS) throw error
    }
  }
}
