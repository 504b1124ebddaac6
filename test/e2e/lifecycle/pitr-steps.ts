/** A server archives its WAL, is backed up, loses its rows, is killed, and comes back at a moment before that. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makeTemporaryFolder, runCliJson } from '#test/support/cli/run-cli.ts'
import { archiveAll, baseBackup, CLUSTER, KINDS, prepare, RESTORE_POINT } from '#test/support/native/archived-server.ts'
import { archiveCommand } from '#test/support/native/cli-command.ts'
import { installedBinFolder } from '#test/support/native/installed.ts'
import { makeServerFolder, NativeServer } from '#test/support/native/server.ts'
import type { Step } from './model.ts'

const SEED = `CREATE TABLE events (id int PRIMARY KEY, kind text);
  INSERT INTO events SELECT i, 'base' FROM generate_series(1, 1000) i`
const DIGEST = `SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM events e`
const AT_TARGET = [
  { kind: 'base', rows: 1000 },
  { kind: 'before', rows: 100 },
]
const TARGETS = ['time', 'lsn', 'name'] as const

export class PitrWorld {
  readonly #folder = makeTemporaryFolder()
  readonly #servers: NativeServer[] = []
  readonly storage = pathToFileURL(makeServerFolder(join(this.#folder.path, 'storage'))).href
  #binFolder = ''
  #source: NativeServer | undefined
  #restored: NativeServer | undefined
  #backupId = ''
  #digest: unknown
  #targets: Readonly<Record<(typeof TARGETS)[number], string>> = { time: '', lsn: '', name: RESTORE_POINT }

  steps(): readonly Step[] {
    return [
      ['server_programs', async () => (this.#binFolder = installedBinFolder())],
      ['seed_schema', () => this.#seed()],
      ['basebackup_uploaded', () => this.#backUp()],
      ['target_window_created', () => this.#makeWindow()],
      ['source_killed', () => this.#kill()],
      ['wal_verified', () => this.#verify()],
      ['restore_directory_prepared', () => this.#prepare('time', 'by time')],
      ['restore_postgres_started', () => this.#start('by time')],
      ['restore_ready', () => this.#waitUntilPaused()],
      ['pitr_validation', () => this.#validate()],
      ['restore_by_lsn', () => this.#restoreBy('lsn')],
      ['restore_by_name', () => this.#restoreBy('name')],
      ['restore_promoted', () => this.#promote()],
      ['drill_pitr_restore', () => this.#drill()],
    ]
  }

  async close(): Promise<void> {
    for (const server of this.#servers) await server.crash()
    this.#folder.remove()
  }

  #add(server: NativeServer): NativeServer {
    this.#servers.push(server)
    return server
  }

  async #seed(): Promise<string> {
    const settings = { archive_mode: 'on', archive_command: archiveCommand(this.storage, CLUSTER) }
    const source = NativeServer.create(this.#binFolder, join(this.#folder.path, 'primary/data'), settings)
    this.#source = this.#add(source)
    await source.start()
    await source.run(SEED)
    await archiveAll(source)
    return '1000 rows, their WAL archived by the server'
  }

  get #server(): NativeServer {
    return this.#source ?? assert.fail('there is no server')
  }

  async #backUp(): Promise<string> {
    const { exitCode, data } = await baseBackup(this.#server, this.storage)
    assert.equal(exitCode, 0, JSON.stringify(data))
    this.#backupId = data.backup.backup_id
    return `${this.#backupId}, ${data.backup.files} files`
  }

  async #makeWindow(): Promise<string> {
    const server = this.#server
    await server.run(`INSERT INTO events SELECT i, 'before' FROM generate_series(1001, 1100) i`)
    await server.run(`SELECT pg_create_restore_point('${RESTORE_POINT.replaceAll("'", "''")}')`)
    const [at] = await server.run('SELECT clock_timestamp()::text AS time, pg_current_wal_insert_lsn()::text AS lsn')
    this.#targets = { time: String(at?.['time']), lsn: String(at?.['lsn']), name: RESTORE_POINT }
    this.#digest = await server.value(DIGEST)
    await server.run(`INSERT INTO events SELECT i, 'after' FROM generate_series(2001, 2050) i`)
    await server.run(`DELETE FROM events WHERE kind <> 'after'`)
    await archiveAll(server)
    return `100 rows before ${this.#targets.time}; after it 50 rows, and the others deleted`
  }

  async #kill(): Promise<string> {
    await this.#server.crash()
    assert.equal(this.#server.isRunning, false)
    await assert.rejects(() => this.#server.run('SELECT 1'))
    return 'SIGKILL; it does not answer any more'
  }

  async #verify(): Promise<string> {
    const { exitCode, data } = await runCliJson(['wal', 'verify', '--storage', this.storage, '--cluster-id', CLUSTER])
    assert.equal(exitCode, 0, JSON.stringify(data.problems))
    assert.deepEqual(data.gaps, [])
    return `${data.checked} files read and proven, no gap`
  }

  async #prepare(kind: (typeof TARGETS)[number], place: string): Promise<string> {
    const more = [`--target-${kind}`, this.#targets[kind], '--archive-mode', 'off']
    const { exitCode, data } = await prepare(this, join(this.#folder.path, place), ...more)
    assert.equal(exitCode, 0, JSON.stringify(data))
    assert.equal(data.backup_id, this.#backupId)
    assert.equal(data.recovery_signal, true)
    return `${data.files} files, each with its SHA-256, to the ${kind} ${this.#targets[kind]}`
  }

  async #start(place: string): Promise<string> {
    this.#restored = this.#add(new NativeServer(this.#binFolder, join(this.#folder.path, place, 'data')))
    await this.#restored.start()
    return 'it answers'
  }

  get #copy(): NativeServer {
    return this.#restored ?? assert.fail('nothing was restored')
  }

  async #waitUntilPaused(): Promise<string> {
    await this.#copy.waitUntilPaused()
    return 'the replay has stopped at the target'
  }

  async #validate(): Promise<string> {
    assert.deepEqual(await this.#copy.run(KINDS), AT_TARGET)
    assert.equal(await this.#copy.value(DIGEST), this.#digest)
    assert.equal(await this.#copy.value('SELECT pg_is_in_recovery()'), true)
    return '1100 rows from before the target, none from after it, equal to what the source held'
  }

  async #restoreBy(kind: 'lsn' | 'name'): Promise<string> {
    await this.#copy.crash()
    await this.#prepare(kind, `by ${kind}`)
    await this.#start(`by ${kind}`)
    await this.#waitUntilPaused()
    return await this.#validate()
  }

  async #promote(): Promise<string> {
    await this.#copy.run('SELECT pg_wal_replay_resume()')
    await this.#copy.waitUntilPrimary()
    assert.equal(await this.#copy.value(DIGEST), this.#digest)
    await this.#copy.run(`INSERT INTO events VALUES (9000, 'new')`)
    assert.equal(await this.#copy.value('SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)'), '00000002')
    await this.#copy.crash()
    return 'it accepts writes, on a timeline of its own'
  }

  async #drill(): Promise<string> {
    const words = ['drill', 'pitr-restore', '--storage', this.storage, '--cluster-id', CLUSTER]
    const target = ['--target-time', this.#targets.time]
    const check = `SELECT count(*) = 1100 AND md5(string_agg(e::text, '|' ORDER BY id)) = '${this.#digest}' FROM events e`
    const { exitCode, data } = await runCliJson([...words, ...target, '--check-sql', check])
    assert.equal(exitCode, 0, JSON.stringify(data.error))
    return `${data.row_count} rows read in ${Number(data.rto_seconds).toFixed(1)} s; evidence ${data.evidence_key}`
  }
}
