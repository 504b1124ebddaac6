/** PostgreSQL's own programs as child processes: the only code that starts them. */
import { BackstopError } from '#lib/kernel/index.ts'
import type {
  BaseBackupOptions,
  DumpListing,
  DumpOptions,
  FolderBackupOptions,
  NativeTools,
  RestoreDumpOptions,
  RestoreSource,
  ToolRun,
} from '#lib/ports/index.ts'
import { type ProgramOrder, readProgram, runProgram, streamProgram } from './child.ts'
import { connectionVariables, databaseArgument, toolEnvironment, type Variables } from './connection.ts'
import { findProgram } from './find-program.ts'
import { parseListing } from './listing.ts'

type Tool = Parameters<NativeTools['versionOf']>[0]

export interface NativeToolsOptions {
  /** Of this process: credentials of libpq, the path and the language are passed on. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Programs at places of their own. */
  readonly programs?: Readonly<Partial<Record<Tool, string | undefined>>>
}

export function createNativeTools(options: NativeToolsOptions): NativeTools {
  return new ProcessTools(options)
}

const NEVER_ASK = '--no-password'
const KILOBYTE = 1_024

class ProcessTools implements NativeTools {
  readonly #options: NativeToolsOptions

  constructor(options: NativeToolsOptions) {
    this.#options = options
  }

  async find(tool: Tool): Promise<string> {
    return (await this.#order(tool, [], {})).path
  }

  async versionOf(tool: Tool): Promise<string> {
    const said = await readProgram(await this.#order(tool, ['--version'], {}))
    return said.split('\n')[0]?.trim() ?? ''
  }

  async *dump(databaseUrl: string, options: DumpOptions): AsyncGenerator<Uint8Array, void> {
    const { excludeTables, snapshotName, signal } = options
    const excluded = excludeTables.map((pattern) => `--exclude-table=${pattern}`)
    const snapshot = snapshotName === undefined ? [] : [`--snapshot=${snapshotName}`]
    const args = ['--format=custom', NEVER_ASK, ...snapshot, ...excluded]
    yield* streamProgram({ ...(await this.#order('pg_dump', args, connectionVariables(databaseUrl))), signal })
  }

  async listDump(content: AsyncIterable<Uint8Array>, run: ToolRun = {}): Promise<DumpListing> {
    const order = await this.#order('pg_restore', ['--list'], {})
    return parseListing(await readProgram({ ...order, input: content, signal: run.signal }))
  }

  async restoreDump(databaseUrl: string, source: RestoreSource, options: RestoreDumpOptions): Promise<void> {
    const connection = connectionVariables(databaseUrl)
    const args = [
      `--dbname=${databaseArgument(connection)}`,
      NEVER_ASK,
      '--exit-on-error',
      ...(options.isClean ? ['--clean', '--if-exists'] : []),
      ...(options.isOwnerless ? ['--no-owner', '--no-privileges'] : []),
      ...(source.kind === 'file' ? [`--jobs=${source.jobs}`, '--', source.path] : ['--single-transaction']),
    ]
    const order = { ...(await this.#order('pg_restore', args, connection)), signal: options.signal }
    await runProgram(source.kind === 'file' ? order : { ...order, input: source.content })
  }

  async *baseBackup(serverUrl: string, { label, signal }: BaseBackupOptions): AsyncGenerator<Uint8Array, void> {
    const order = await this.#baseBackupOrder(serverUrl, '-', label)
    yield* streamProgram({ ...order, signal, explain: explainBaseBackup })
  }

  async baseBackupInto(serverUrl: string, folder: string, options: FolderBackupOptions): Promise<void> {
    const { label, signal, onEstimate, onReceived } = options
    const order = await this.#baseBackupOrder(serverUrl, folder, label, ['--progress'])
    const refusal = new AbortController()
    const signals = [refusal.signal, ...(signal ? [signal] : [])]
    let estimated: Promise<void> | undefined
    const onSaid = (text: string) => {
      const progress = readProgress(text)
      if (progress === undefined) return
      estimated ??= onEstimate(progress.totalBytes).catch((error: unknown) => refusal.abort(error))
      try {
        onReceived(progress.doneBytes, progress.totalBytes)
      } catch (error) {
        refusal.abort(error)
      }
    }
    await runProgram({ ...order, signal: AbortSignal.any(signals), onSaid })
    await estimated
    refusal.signal.throwIfAborted()
  }

  async #baseBackupOrder(serverUrl: string, target: string, label: string, more: readonly string[] = []) {
    const { PGDATABASE: _, ...connection } = connectionVariables(serverUrl)
    const args = [
      `--pgdata=${target}`,
      '--format=tar',
      '--wal-method=fetch',
      '--checkpoint=fast',
      '--manifest-checksums=SHA256',
      `--label=${label}`,
      NEVER_ASK,
      ...more,
    ]
    return await this.#order('pg_basebackup', args, connection)
  }

  async #order(tool: Tool, args: readonly string[], connection: Variables): Promise<ProgramOrder> {
    const { environment, programs = {} } = this.#options
    const path = await findProgram(tool, { named: programs, path: environment['PATH'] })
    return { tool, path, args, environment: toolEnvironment(environment, connection) }
  }
}

/** The last of its lines such as `   42/22984 kB (0%), 0/2 tablespaces`. */
function readProgress(text: string): { readonly doneBytes: number; readonly totalBytes: number } | undefined {
  const [, done, total] = [...text.matchAll(/(\d+)\/(\d+) kB \(/g)].at(-1) ?? []
  if (done === undefined || total === undefined) return undefined
  return { doneBytes: Number(done) * KILOBYTE, totalBytes: Number(total) * KILOBYTE }
}

function explainBaseBackup(complaint: string): BackstopError | undefined {
  if (!complaint.includes('can only write single tablespace to stdout')) return undefined
  return new BackstopError('BACKUP_TABLESPACES', 'the server has tablespaces of its own, which cannot be streamed')
}
