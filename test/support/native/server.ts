/** A server of the installed PostgreSQL that can be started, killed and started again, on a folder of the test's own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { eventually } from '#test/support/eventually.ts'
import { freePort } from '#test/support/free-port.ts'

/** A recovery calls restore_command for each segment, and each call starts a program. */
const PATIENCE_MS = 150_000
/** PostgreSQL refuses to run as root. */
const UNPRIVILEGED_ID = 65_534
const isRoot = process.getuid?.() === 0
const runAs = isRoot ? { uid: UNPRIVILEGED_ID, gid: UNPRIVILEGED_ID } : {}

export function ownByServer(path: string): void {
  if (isRoot) chownSync(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
}

/** A folder that the server's user may write, such as a storage that its archive_command fills. */
export function makeServerFolder(path: string): string {
  mkdirSync(path, { recursive: true })
  ownByServer(path)
  chmodSync(path, 0o700)
  return path
}

/** Whether a process has it for its working folder, as all of a server's have, and the commands that they run. */
function isWorkedIn(folder: string): boolean {
  const path = realpathSync(folder)
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .some((entry) => {
      try {
        return readlinkSync(`/proc/${entry}/cwd`) === path
      } catch {
        return false
      }
    })
}

/** Text inside single quotes of postgresql.conf. */
export const confQuote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

export class NativeServer {
  readonly dataFolder: string
  readonly #binFolder: string
  #child: ChildProcess | undefined
  #port = 0
  #log = ''

  constructor(binFolder: string, dataFolder: string) {
    this.#binFolder = binFolder
    this.dataFolder = dataFolder
  }

  /** A new cluster with these settings; everybody on this machine may connect. */
  static create(
    binFolder: string,
    dataFolder: string,
    settings: Readonly<Record<string, string>>,
    more: readonly string[] = [],
  ): NativeServer {
    makeServerFolder(join(dataFolder, '..'))
    const args = [
      '-D',
      dataFolder,
      '-U',
      'postgres',
      '--auth=trust',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '--no-sync',
      ...more,
    ]
    const done = spawnSync(join(binFolder, 'initdb'), args, { encoding: 'utf8', ...runAs })
    if (done.status !== 0) throw new Error(`initdb: ${done.stderr}`)
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${confQuote(value)}\n`)
    appendFileSync(join(dataFolder, 'postgresql.conf'), lines.join(''))
    return new NativeServer(binFolder, dataFolder)
  }

  get url(): string {
    return `postgresql://postgres@127.0.0.1:${this.#port}/postgres`
  }

  get log(): string {
    return this.#log
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Without waiting for anything. */
  async launch(): Promise<void> {
    this.#port = await freePort()
    this.#log = ''
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${this.#port}`,
      'unix_socket_directories=',
      'logging_collector=off',
    ]
    const args = ['-D', this.dataFolder, ...settings.flatMap((setting) => ['-c', setting])]
    const child = spawn(join(this.#binFolder, 'postgres'), args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      cwd: '/',
      ...runAs,
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString()
    })
    this.#child = child
  }

  /** Until it answers queries, as a primary or as one that still recovers. */
  async start(): Promise<void> {
    await this.launch()
    await eventually(
      async () => {
        if (!this.isRunning) throw new Error(`the server ended:\n${this.#log}`)
        return await this.run('SELECT 1').then(
          () => true,
          () => false,
        )
      },
      { timeoutMs: PATIENCE_MS, everyMs: 50, what: `a server that answers:\n${this.#log}` },
    )
  }

  async waitUntilPrimary(): Promise<void> {
    await eventually(async () => (await this.value('SELECT NOT pg_is_in_recovery()')) === true, {
      timeoutMs: PATIENCE_MS,
      everyMs: 50,
      what: 'the end of the recovery',
    })
  }

  async waitUntilPaused(): Promise<void> {
    await eventually(async () => (await this.value('SELECT pg_get_wal_replay_pause_state()')) === 'paused', {
      timeoutMs: PATIENCE_MS,
      everyMs: 50,
      what: 'the replay to stop at its target',
    })
  }

  /** The log of a server that ends by itself. */
  async waitForEnd(): Promise<string> {
    await eventually(() => !this.isRunning, {
      timeoutMs: PATIENCE_MS,
      everyMs: 50,
      what: `the server's end:\n${this.#log}`,
    })
    return this.#log
  }

  async run(sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url })
    client.on('error', () => {})
    await client.connect()
    try {
      const result = await client.query(sql)
      return (Array.isArray(result) ? result.at(-1) : result).rows
    } finally {
      await client.end()
    }
  }

  async value(sql: string): Promise<unknown> {
    return Object.values((await this.run(sql))[0] ?? {})[0]
  }

  /** As when the machine loses its power: every process of it, at once. */
  async crash(): Promise<void> {
    if (this.#child?.pid === undefined || !this.isRunning) return
    process.kill(-this.#child.pid, 'SIGKILL')
    await eventually(() => !this.isRunning, { what: 'the end of a killed server' })
    await eventually(() => !existsSync(`/proc/${this.#child?.pid}`), { what: 'its process to be gone' })
    // The postmaster's children have process groups of their own; they end when it is gone, a checkpointer after its work.
    await eventually(() => !isWorkedIn(this.dataFolder), { what: 'the end of its children' })
    rmSync(join(this.dataFolder, 'postmaster.pid'), { force: true })
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return
    this.#child?.kill('SIGINT')
    await eventually(() => !this.isRunning, { timeoutMs: PATIENCE_MS, what: `the server's end:\n${this.#log}` })
  }
}
