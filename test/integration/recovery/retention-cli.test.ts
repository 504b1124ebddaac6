/** Pruning, pinning and holding on the command line, over files that a product has written. */
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import type { RecoveryPoint } from '#lib/ports/index.ts'
import { PointCatalog, scanPoints } from '#lib/recovery/catalog/index.ts'
import { runInProcess } from '#test/support/cli/fake-io.ts'
import type { Vault } from '#test/support/recovery/retention/vault.ts'
import { allPoints, openVault } from '#test/support/recovery/retention/vault.ts'

const HOUR_MS = 3_600_000
const KEEP_ONE = Object.fromEntries(
  ['DAYS', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY'].map((kind) => [`BACKSTOP_RETENTION_KEEP_${kind}`, '0']),
)

let vault: Vault
let points: readonly RecoveryPoint[]

beforeEach(async () => {
  vault = await openVault(Date.now() - 6 * HOUR_MS)
  const taken: RecoveryPoint[] = []
  for (let index = 0; index < 3; index += 1) {
    taken.push(await vault.take('orders'))
    vault.clock.advance(HOUR_MS)
  }
  points = taken
})
afterEach(() => vault.close())

const environment = () => ({
  ...KEEP_ONE,
  BACKSTOP_RETENTION_KEEP_LAST: '1',
  BACKSTOP_STORAGE_URL: `file://${join(vault.folder, 'objects')}`,
  BACKSTOP_METADATA_DB: join(vault.folder, 'records.db'),
})

async function cli(...words: string[]) {
  const { exitCode, stdout, stderr } = await runInProcess([...words, '--json'], { environment: environment() })
  return { exitCode, body: JSON.parse(stdout === '' ? stderr : stdout) }
}

const idOf = (index: number) => points[index]?.snapshotId ?? ''

test('a dry run shows what would go and why the rest stays; the run then removes it', async () => {
  const dry = await cli('snapshots', 'prune', '--dry-run')
  expect(dry.exitCode).toBe(0)
  expect(dry.body.prune).toMatchObject({ dry_run: true, removed: [{ snapshot_id: idOf(0) }, { snapshot_id: idOf(1) }] })
  expect(dry.body.prune.kept).toMatchObject([{ snapshot_id: idOf(2), reasons: ['last-of-table', 'keep-last'] }])
  expect(dry.body.policy).toMatchObject({ keep_last: 1, keep_daily: 0, final_days: 30 })
  expect((await scanPoints(vault.objects)).points).toHaveLength(3)
  expect((await cli('snapshots', 'prune')).body.prune.removed).toHaveLength(2)
  expect((await scanPoints(vault.objects)).points.map(({ snapshotId }) => snapshotId)).toEqual([idOf(2)])
})

test('a pin and a hold keep their points, are listed, and are lifted each by its own command', async () => {
  const reason = ['--reason', 'case 7', '--by', 'ada']
  expect((await cli('snapshots', 'pin', idOf(0), ...reason)).body.kept).toMatchObject({ kind: 'pin', by: 'ada' })
  expect((await cli('snapshots', 'hold', idOf(1), ...reason)).exitCode).toBe(0)
  expect((await cli('snapshots', 'kept')).body.kept).toHaveLength(2)
  expect(await cli('snapshots', 'unpin', idOf(1), ...reason)).toMatchObject({
    exitCode: 1,
    body: { error: { code: 'SNAPSHOT_NOT_KEPT' } },
  })
  expect((await cli('snapshots', 'prune')).body.prune.removed).toEqual([])
  expect((await cli('snapshots', 'unpin', idOf(0), ...reason)).exitCode).toBe(0)
  expect((await cli('snapshots', 'release', idOf(1), ...reason)).exitCode).toBe(0)
  expect((await cli('snapshots', 'prune')).body.prune.removed).toHaveLength(2)
})

test('a hold without a reason, or of no snapshot, is refused', async () => {
  expect((await cli('snapshots', 'hold', idOf(0))).exitCode).toBe(2)
  expect((await cli('snapshots', 'hold', idOf(0), '--reason', ' ')).exitCode).toBe(2)
  expect((await cli('snapshots', 'hold', 'snap_1', '--reason', 'x')).exitCode).toBe(2)
  const absent = `snap_${'0'.repeat(32)}`
  expect((await cli('snapshots', 'hold', absent, '--reason', 'x')).body).toMatchObject({
    error: { code: 'SNAPSHOT_MISSING' },
  })
})

test('pruning needs the metadata, where pins and approvals are', async () => {
  const { BACKSTOP_METADATA_DB: _, ...without } = environment()
  const { exitCode, stderr } = await runInProcess(['snapshots', 'prune'], { environment: without })
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(/--metadata-db/)
})

test('a quarantined point goes before its time when it is given up by name, and a sound one does not', async () => {
  await vault.catalog.quarantine(points[0]?.snapshotId ?? 'snap_', 'flipped', new Date().toISOString() as Instant)
  expect((await cli('snapshots', 'prune')).body.prune.removed).toMatchObject([{ snapshot_id: idOf(1) }])
  const given = await cli('snapshots', 'prune', '--give-up', `${idOf(0)},${idOf(2)}`)
  expect(given.body.prune.removed).toMatchObject([{ snapshot_id: idOf(0), reason: 'quarantine-over' }])
  const records = openSqliteRecordStore({ path: join(vault.folder, 'records.db'), clock: vault.clock })
  expect((await new PointCatalog(records).list()).points).toHaveLength(1)
  await records.close()
  expect(await allPoints(vault)).toHaveLength(1)
})

test('people see a table and a summary', async () => {
  const { stdout } = await runInProcess(['snapshots', 'prune', '--dry-run'], { environment: environment() })
  expect(stdout).toMatch(/2 would go, 1 kept/)
})
