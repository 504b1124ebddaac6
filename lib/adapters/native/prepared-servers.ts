/** Starts servers of the installed PostgreSQL on prepared data folders, on a socket in a private folder and nowhere else. */
import { type ChildProcess, spawn } from 'node:child_process'
import { chown, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BackstopError } from '#lib/kernel/index.ts'
import type { Database, PreparedServer, PreparedServerOrder, PreparedServers } from '#lib/ports/index.ts'
import { openPostgres } from '../postgres/index.ts'
import { readProgram } from './child.ts'
import { describeComplaint } from './complaint.ts'
import { toolEnvironment } from './connection.ts'
import { findServerFolder } from './find-program.ts'
import { SERVER_USER_ID } from './local-files.ts'

export interface PreparedServersOptions {
  /** Of this process: what restore_command needs of it (path, home, credentials of the cloud) is passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The folder of `postgres`; absent: the one of the right version. */
  readonly binFolder?: string | undefined
}

const KEEPER = fileURLToPath(new URL('../embedded/postgres-cluster/keeper.ts', import.meta.url))
const PORT = 5432
const LOG_BYTES = 65_536
/** What a storage wants to know from the command that fetches WAL. */
const STORAGE_VARIABLES = /^(?:AWS_\w+|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS)$/
/** Standby servers must allow as much as the primary did. */
const CONTROL_SETTINGS = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_xacts',
  'max_locks_per_xact',
]
const SETTING_NAMES: Readonly<Record<string, string>> = {
  max_prepared_xacts: 'max_prepared_transactions',
  max_locks_per_xact: 'max_locks_per_transaction',
}

const isRoot = () => process.getuid?.() === 0
const runAs = () => (isRoot() ? { uid: SERVER_USER_ID, gid: SERVER_USER_ID } : {})

export function createPreparedServers(options: PreparedServersOptions): PreparedServers {
  const environment = commandEnvironment(options.environment)
  const find = (major: string) =>
    findServerFolder(major, { named: options.binFolder, path: options.environment['PATH'] }, (program) =>
      readProgram({ tool: 'postgres', path: program, args: ['--version'], environment }),
    )
  return {
    find: async (major) => (await find(major)).version.trim(),
    tryCommand: (line, walName, outputPath) => tryCommand(line, walName, outputPath, environment),
    start: async (order) => {
      const { folder } = await find(order.serverVersion)
      return await startServer(folder, order, environment)
    },
  }
}

function commandEnvironment(environment: PreparedServersOptions['environment']): Record<string, string> {
  const storage = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && STORAGE_VARIABLES.test(entry[0]),
  )
  return { ...toolEnvironment(environment), ...Object.fromEntries(storage) }
}

async function tryCommand(
  line: string,
  walName: string,
  outputPath: string,
  environment: Record<string, string>,
): Promise<number> {
  const values: Readonly<Record<string, string>> = { '%f': walName, '%p': outputPath, '%%': '%' }
  const command = line.replace(/%[fp%]/g, (found) => values[found] ?? found)
  const child = spawn('/bin/sh', ['-c', command], { cwd: '/', env: environment, stdio: 'ignore', ...runAs() })
  return await new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new BackstopError('NATIVE_TOOL_FAILED', `/bin/sh: ${error.message}`)))
    child.once('close', (code) => resolve(code ?? -1))
  })
}

async function startServer(
  binFolder: string,
  order: PreparedServerOrder,
  environment: Record<string, string>,
): Promise<PreparedServer> {
  const socketFolder = join(order.scratchFolder, 'run')
  const hbaFile = join(order.scratchFolder, 'hba.conf')
  await mkdir(socketFolder, { mode: 0o700 })
  // Whoever reaches the socket may come in: its folder is private.
  await writeFile(hbaFile, 'local all all trust\n', { mode: 0o600 })
  if (isRoot()) for (const path of [socketFolder, hbaFile]) await chown(path, SERVER_USER_ID, SERVER_USER_ID)
  const settings = {
    ...(await settingsOfLostFile(binFolder, order, environment)),
    ...FIXED,
    hba_file: hbaFile,
    unix_socket_directories: socketFolder,
  }
  const args = [
    '-D',
    order.dataFolder,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const keeper = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      KEEPER,
      JSON.stringify({
        program: join(binFolder, 'postgres'),
        args,
        removeFolders: [order.scratchFolder],
        ...(isRoot() ? { runAsId: SERVER_USER_ID } : {}),
      }),
    ],
    { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env: environment, cwd: '/' },
  )
  return new KeptServer(keeper, socketFolder, order.user)
}

/** It is a copy: it writes no archive, starts no replication, and is thrown away. */
const FIXED: Readonly<Record<string, string>> = {
  listen_addresses: '',
  port: String(PORT),
  unix_socket_permissions: '0700',
  ssl: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
  lc_messages: 'C',
  cluster_name: 'backstop-drill',
  archive_mode: 'off',
  fsync: 'off',
  autovacuum: 'off',
  huge_pages: 'off',
  hot_standby: 'on',
  max_logical_replication_workers: '0',
  primary_conninfo: '',
  'cron.launch_active_jobs': 'off',
}

/** Where postgresql.conf lies outside of the data folder, as on Debian, a base backup does not have it. */
async function settingsOfLostFile(
  binFolder: string,
  { dataFolder, scratchFolder }: PreparedServerOrder,
  environment: Record<string, string>,
): Promise<Record<string, string>> {
  const isThere = await stat(join(dataFolder, 'postgresql.conf')).then(
    () => true,
    () => false,
  )
  if (isThere) return {}
  const path = join(scratchFolder, 'postgresql.conf')
  await writeFile(path, '', { mode: 0o600 })
  if (isRoot()) await chown(path, SERVER_USER_ID, SERVER_USER_ID)
  const order = { tool: 'pg_controldata', path: join(binFolder, 'pg_controldata'), args: [dataFolder], environment }
  const text = await readProgram(order)
  const found = CONTROL_SETTINGS.flatMap((name) => {
    const value = new RegExp(`^${name} setting:\\s+(\\d+)$`, 'm').exec(text)?.[1]
    return value === undefined ? [] : [[SETTING_NAMES[name] ?? name, value]]
  })
  return { config_file: path, ...Object.fromEntries(found) }
}

class KeptServer implements PreparedServer {
  readonly #keeper: ChildProcess
  readonly #socketFolder: string
  readonly #user: string
  readonly #ended: Promise<void>
  #log = ''

  constructor(keeper: ChildProcess, socketFolder: string, user: string) {
    this.#keeper = keeper
    this.#socketFolder = socketFolder
    this.#user = user
    keeper.stdin?.on('error', () => {})
    keeper.stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-LOG_BYTES)
    })
    this.#ended = new Promise((resolve) => keeper.once('close', () => resolve()))
  }

  get isRunning(): boolean {
    return this.#keeper.exitCode === null && this.#keeper.signalCode === null
  }

  lastWords(): string {
    // What stands before the severity is the prefix that the server was told to write.
    const lines = this.#log.split('\n').map((line) => line.replace(/^.*?\b(?=(?:FATAL|PANIC|ERROR): )/, ''))
    return describeComplaint(lines.map((line) => line.replace(/^PANIC/, 'FATAL')).join('\n'), [])
  }

  open(database: string): Database {
    const server = {
      host: this.#socketFolder,
      port: PORT,
      name: database,
      user: this.#user,
      tls: { mode: 'disable' } as const,
      password: async () => '',
    }
    return openPostgres({ server, label: `drill/${database}`, maxConnections: 2, applicationName: 'backstop-drill' })
  }

  async stop(): Promise<void> {
    this.#keeper.stdin?.end()
    await this.#ended
  }
}
