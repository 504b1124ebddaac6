/** A real server whose WAL is archived by the real command, with a base backup and a few moments to recover to. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runCliJson } from '#test/support/cli/run-cli.ts'
import { eventually } from '#test/support/eventually.ts'
import { archiveCommand } from './cli-command.ts'
import { makeServerFolder, NativeServer } from './server.ts'

export interface ArchivedServer {
  readonly server: NativeServer
  readonly storage: string
  readonly storageFolder: string
  readonly backupId: string
  /** Between the rows `before` and `after`, in three ways of saying it. */
  readonly targets: { readonly time: string; readonly lsn: string; readonly name: string }
}

export const CLUSTER = "it's prod"
export const RESTORE_POINT = `before the "accident", isn't it`

/** All of what is written so far is archived. */
export async function archiveAll(server: NativeServer): Promise<void> {
  const name = String(await server.value('SELECT pg_walfile_name(pg_current_wal_insert_lsn())'))
  await server.run('SELECT pg_switch_wal()')
  await eventually(
    async () => {
      const row = (await server.run('SELECT last_archived_wal, failed_count::int FROM pg_stat_archiver'))[0]
      if (Number(row?.['failed_count']) > 0) throw new Error(`archive_command failed:\n${server.log}`)
      const last = String(row?.['last_archived_wal'] ?? '')
      return /^[0-9A-F]{24}$/.test(last) && last >= name
    },
    { timeoutMs: 100_000, everyMs: 100, what: `${name} in the archive` },
  )
}

export async function baseBackup(server: NativeServer, storage: string, ...more: string[]) {
  return await runCliJson([
    'pitr',
    'basebackup',
    '--db',
    server.url,
    '--storage',
    storage,
    '--cluster-id',
    CLUSTER,
    ...more,
  ])
}

/** Rows `base`, base backup, rows `before`, the moment, rows `after` and everything deleted, all of it archived, crash. */
export async function makeArchivedServer(binFolder: string, folder: string): Promise<ArchivedServer> {
  const storageFolder = makeServerFolder(join(folder, `sto re's "100%"`))
  const storage = pathToFileURL(storageFolder).href
  const settings = { archive_mode: 'on', archive_command: archiveCommand(storage, CLUSTER) }
  const server = NativeServer.create(binFolder, join(folder, 'primary/data'), settings)
  await server.start()
  await server.run(
    `CREATE TABLE events (id int PRIMARY KEY, kind text); INSERT INTO events SELECT i, 'base' FROM generate_series(1, 1000) i`,
  )
  await archiveAll(server)
  const taken = await baseBackup(server, storage)
  if (taken.exitCode !== 0) throw new Error(JSON.stringify(taken.data))
  await server.run(`INSERT INTO events SELECT i, 'before' FROM generate_series(1001, 1100) i`)
  await server.run(`SELECT pg_create_restore_point('${RESTORE_POINT.replaceAll("'", "''")}')`)
  const [at] = await server.run('SELECT clock_timestamp()::text AS time, pg_current_wal_insert_lsn()::text AS lsn')
  await server.run(`INSERT INTO events SELECT i, 'after' FROM generate_series(2001, 2050) i`)
  await server.run(`DELETE FROM events WHERE kind <> 'after'`)
  await archiveAll(server)
  await server.crash()
  const targets = { time: `${at?.['time']}`, lsn: `${at?.['lsn']}`, name: RESTORE_POINT }
  return { server, storage, storageFolder, backupId: taken.data.backup.backup_id, targets }
}

/** Into `<folder>/data`, whose parent belongs to the server's user. */
export async function prepare(archived: Pick<ArchivedServer, 'storage'>, folder: string, ...more: string[]) {
  makeServerFolder(folder)
  const target = join(folder, 'data')
  const words = [
    'pitr',
    'prepare-restore',
    '--storage',
    archived.storage,
    '--cluster-id',
    CLUSTER,
    '--target-dir',
    target,
  ]
  return await runCliJson([...words, ...more])
}

export const KINDS = 'SELECT kind, count(*)::int AS rows FROM events GROUP BY kind ORDER BY kind'
