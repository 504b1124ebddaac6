/** recovery.retain over DynamoDB and S3: it removes exactly what nothing keeps, and says so. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openFoundation, openSnapshotBucket, openTable } from '#functions/shared/index.ts'
import type { Instant } from '#lib/kernel/index.ts'
import { instantFrom } from '#lib/kernel/index.ts'
import type { ObjectStore, RecordStore, RecoveryPoint } from '#lib/ports/index.ts'
import { openApprovals } from '#lib/product/index.ts'
import { PointCatalog } from '#lib/recovery/catalog/index.ts'
import { addKeep } from '#lib/recovery/retention/index.ts'
import { lambdaContext } from '#test/support/functions/event.ts'
import { type FunctionWorld, openFunctionWorld } from '#test/support/functions/world.ts'
import { writePoint } from '#test/support/recovery/retention/vault.ts'

const DAY_MS = 86_400_000
type Handler = (event: unknown, context: unknown) => Promise<unknown>

let world: FunctionWorld
let retain: Handler
let records: RecordStore
let objects: ObjectStore
let catalog: PointCatalog
const taken = new Map<string, RecoveryPoint>()

const ago = (days: number): Instant => instantFrom(Date.now() - days * DAY_MS)
const idOf = (name: string) => taken.get(name)?.snapshotId ?? 'snap_'

beforeAll(async () => {
  world = await openFunctionWorld(inject('cloudEndpoint'))
  for (const kind of ['DAYS', 'HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY']) {
    process.env[`BACKSTOP_RETENTION_KEEP_${kind}`] = '0'
  }
  process.env['BACKSTOP_RETENTION_KEEP_LAST'] = '1'
  records = openTable()
  objects = openSnapshotBucket()
  catalog = new PointCatalog(records)
  const names = ['oldest', 'pinned', 'needed', 'old', 'last']
  for (const [index, name] of names.entries()) {
    taken.set(name, await writePoint({ objects, catalog }, 'orders', index, { capturedAt: ago(60 - index) }))
  }
  taken.set('gone', await writePoint({ objects, catalog }, 'dropped', 9, { capturedAt: ago(300) }))
  taken.set('now', await writePoint({ objects, catalog }, 'busy', 10, { capturedAt: ago(0) }))
  await addKeep(catalog, records, { snapshotId: idOf('pinned'), kind: 'hold', reason: 'case', by: 'ada', at: ago(1) })
  await holdStatement(idOf('needed'))
  const { handler } = await import('../../../../functions/recovery/retain/handler.ts')
  retain = handler as Handler
})
afterAll(async () => {
  for (const name of Object.keys(process.env)) if (name.startsWith('BACKSTOP_RETENTION_')) delete process.env[name]
  await world?.close()
})

async function holdStatement(recoveryPoint: string): Promise<void> {
  const notifier = { notify: async () => ({ status: 'delivered' }) }
  const approvals = openApprovals(openFoundation({ records, notifier: notifier as never }))
  const sha256 = '0'.repeat(64) as never
  await approvals.hold({
    binding: {
      principal: 'agent',
      agentId: 'agent',
      statementSha256: sha256,
      parametersSha256: sha256,
      database: 'db',
      relations: [],
      functions: [],
      policyVersion: sha256,
      recoveryPoints: [recoveryPoint],
    },
    statement: 'DELETE FROM orders',
    riskLevel: 'CRITICAL',
    operation: 'DELETE',
    policyReason: 'r',
    impactMethod: 'counted',
  })
}

async function keys(): Promise<readonly string[]> {
  return (await objects.list('snapshots/')).objects.map(({ key }) => key)
}

test('what nothing keeps goes with all of its objects; the last point, a hold and what an approval needs stay', async () => {
  expect(await keys()).toHaveLength(14)
  await retain({ id: 'a-night' }, lambdaContext(60_000))
  const left = [...taken].filter(([name]) => name !== 'oldest' && name !== 'old')
  const folders = new Set((await keys()).map((key) => key.split('/')[3]))
  expect([...folders].sort()).toEqual(left.map(([, { snapshotId }]) => snapshotId as string).sort())
  expect(await keys()).toHaveLength(10)
  for (const [name, { snapshotId }] of taken) {
    const found = await catalog.find(snapshotId)
    expect([name, found?.status]).toEqual([name, left.some(([kept]) => kept === name) ? 'valid' : undefined])
  }
})

test('the same event again, and the event of the next night, remove nothing more', async () => {
  const before = await keys()
  await retain({ id: 'a-night' }, lambdaContext(60_000))
  await retain({ id: 'another-night' }, lambdaContext(60_000))
  expect(await keys()).toEqual(before)
})
