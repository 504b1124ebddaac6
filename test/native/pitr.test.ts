/** Recovery to a point in time: real WAL of a real server, base backup, crash, and servers started on what was prepared. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { makeTemporaryFolder, runCliJson, type TemporaryFolder } from '#test/support/cli/run-cli.ts'
import {
  type ArchivedServer,
  archiveAll,
  CLUSTER,
  KINDS,
  makeArchivedServer,
  prepare,
} from '#test/support/native/archived-server.ts'
import { makeServerFolder, NativeServer } from '#test/support/native/server.ts'

const AT_TARGET = [
  { kind: 'base', rows: 1000 },
  { kind: 'before', rows: 100 },
]

let folder: TemporaryFolder
let archived: ArchivedServer
const started: NativeServer[] = []

beforeAll(async () => {
  folder = makeTemporaryFolder()
  archived = await makeArchivedServer(inject('nativeBin'), folder.path)
})
afterAll(async () => {
  for (const server of started) await server.crash()
  await archived?.server.crash()
  folder.remove()
})

async function startOn(dataFolder: string): Promise<NativeServer> {
  const server = new NativeServer(inject('nativeBin'), dataFolder)
  started.push(server)
  await server.start()
  return server
}

describe('after a crash', () => {
  test('a restore to a time brings back the rows before it and none after it, on a timeline of its own', async () => {
    const place = join(folder.path, `restored "one" isn't two`)
    const more = ['--target-time', archived.targets.time, '--target-action', 'promote']
    const { exitCode, data } = await prepare(archived, place, ...more)
    expect({ exitCode, error: data.error }).toEqual({ exitCode: 0, error: undefined })
    expect(data).toMatchObject({ backup_id: archived.backupId, recovery_signal: true, notes: [] })
    expect(statSync(join(place, 'data')).mode & 0o777).toBe(0o700)

    const server = await startOn(join(place, 'data'))
    await server.waitUntilPrimary()
    expect(await server.run(KINDS)).toEqual(AT_TARGET)
    expect(await server.value('SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)')).toBe('00000002')

    await server.run(`INSERT INTO events SELECT i, 'second' FROM generate_series(5001, 5010) i`)
    await archiveAll(server)
    await server.crash()
  })

  test('a second restore follows the new timeline from the same base backup', async () => {
    const place = join(folder.path, 'restored again')
    expect(await prepare(archived, place, '--archive-mode', 'off')).toMatchObject({ exitCode: 0, data: { notes: [] } })
    const server = await startOn(join(place, 'data'))
    await server.waitUntilPrimary()
    expect(await server.run(KINDS)).toEqual([...AT_TARGET, { kind: 'second', rows: 10 }])
    expect(await server.value('SHOW archive_mode')).toBe('off')
    await server.crash()
    const { exitCode, data } = await runCliJson([
      ...['wal', 'verify', '--storage', archived.storage, '--cluster-id', CLUSTER],
    ])
    expect({ exitCode, problems: data.problems }).toEqual({ exitCode: 0, problems: [] })
    expect(data.timelines).toMatchObject([
      { timeline: 1, parent: null },
      { timeline: 2, parent: 1, branched_at: expect.stringMatching(/^0\//) },
    ])
  })

  test.each(['lsn', 'name'] as const)(
    'a restore by %s stops there, to be looked at, and goes on when told',
    async (kind) => {
      const place = join(folder.path, `by ${kind}`)
      const more = [`--target-${kind}`, archived.targets[kind], '--target-timeline', '1', '--archive-mode', 'off']
      expect(await prepare(archived, place, ...more)).toMatchObject({ exitCode: 0 })
      const server = await startOn(join(place, 'data'))
      expect(await server.value('SELECT pg_is_in_recovery()')).toBe(true)
      await expect
        .poll(() => server.value('SELECT pg_get_wal_replay_pause_state()'), { timeout: 150_000 })
        .toBe('paused')
      expect(await server.run(KINDS)).toEqual(AT_TARGET)
      await server.run('SELECT pg_wal_replay_resume()')
      await server.waitUntilPrimary()
      expect(await server.run(KINDS)).toEqual(AT_TARGET)
      await server.crash()
    },
  )

  test('the guided recovery proposes the same base backup and prepares the same folder', async () => {
    const place = makeServerFolder(join(folder.path, 'guided'))
    const words = ['recover', '--type', 'pitr', '--storage', archived.storage, '--cluster-id', CLUSTER, '--yes']
    const target = ['--target-time', archived.targets.time]
    const looked = await runCliJson([...words, ...target, '--dry-run'])
    expect(looked).toMatchObject({ exitCode: 0, data: { dry_run: true, backup: { backup_id: archived.backupId } } })
    const done = await runCliJson([...words, ...target, '--target-dir', join(place, 'data')])
    expect(done).toMatchObject({ exitCode: 0, data: { backup_id: archived.backupId, target_action: 'pause' } })
    expect(statSync(join(place, 'data/recovery.signal')).size).toBe(0)
    const early = await runCliJson([...words, '--target-time', '2020-01-01 00:00:00Z', '--dry-run'])
    expect(early.data.error.code).toBe('RECOVERY_TARGET_INVALID')
  })

  test('a recovery to the end of the first timeline has what was done last', async () => {
    const place = join(folder.path, 'to the end')
    const more = ['--target-timeline', '1', '--archive-mode', 'off', '--backup-id', archived.backupId]
    expect(await prepare(archived, place, ...more)).toMatchObject({ exitCode: 0 })
    const server = await startOn(join(place, 'data'))
    await server.waitUntilPrimary()
    expect(await server.run(KINDS)).toEqual([{ kind: 'after', rows: 50 }])
    await server.crash()
  })
})
