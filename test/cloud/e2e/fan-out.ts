/** A table that several instances capture together: orders over the queue, one snapshot, one manifest. */
import { describe, expect, inject, it } from 'vitest'
import { openDynamoRecordStore } from '#lib/adapters/aws/index.ts'
import { openSqliteRecordStore } from '#lib/adapters/embedded/index.ts'
import { parquet } from '#lib/adapters/parquet/index.ts'
import { openPostgres } from '#lib/adapters/postgres/index.ts'
import { openS3ObjectStore } from '#lib/adapters/s3/index.ts'
import { systemClock, systemRandom } from '#lib/adapters/system/index.ts'
import type { SnapshotId } from '#lib/kernel/index.ts'
import { openRecovery } from '#lib/recovery/index.ts'
import { openCloudGateway } from '#test/support/cloud/gateway.ts'
import { startPartWorkers } from '#test/support/cloud/part-workers.ts'
import { eventually } from '#test/support/eventually.ts'
import { outputOf } from '../../../localstack/deploy.ts'

const ROWS = 5_000_000
const WORKERS = 3
const SYSTEM = { clock: systemClock, random: systemRandom }
/** Of all rows but the two that change. */
const FIGURES = (table: string) =>
  `SELECT count(*)::text AS rows, sum(hashtextextended(t::text, 0))::text AS hashes FROM public.${table} AS t
     WHERE id NOT IN (1, ${ROWS})`
const SUM = 'SELECT count(*)::text AS rows, sum(reading)::text AS sum FROM public.measurements'

export function fanOut(): void {
  const deployed = inject('deployed')
  const { endpoint, database } = inject('deployedOn')
  const gateway = openCloudGateway(deployed)
  const client = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }

  interface Listed {
    readonly snapshot_id: SnapshotId
    readonly status: string
    readonly row_count: number
  }

  interface Result {
    readonly status: string
    readonly parts?: readonly { readonly key: string }[]
  }

  const findPoint = async () => {
    const { body } = await gateway.send('ops', 'GET', '/metadata/snapshots?table=measurements')
    return (body as readonly Listed[]).find(({ status }) => status === 'valid')
  }

  function openStores() {
    const objects = openS3ObjectStore({
      ...client,
      bucket: outputOf(deployed.outputs, 'SnapshotBucketName'),
      ...SYSTEM,
    })
    const server = openPostgres({ url: database.url, maxConnections: 2 })
    const own = openSqliteRecordStore({ path: ':memory:', clock: systemClock })
    const recovery = openRecovery({ database: server, objects, records: own, columnar: parquet, ...SYSTEM })
    const table = outputOf(deployed.outputs, 'TableName')
    const records = openDynamoRecordStore({ table, client, clock: systemClock })
    const close = async () => {
      await own.close()
      records.close()
      await server.close()
    }
    const run = (sql: string) => server.withSession((session) => session.execute(sql))
    const ask = (sql: string) => server.withSession((session) => session.query(sql))
    return { recovery, records, run, ask, close }
  }

  async function resultsOf({ records }: ReturnType<typeof openStores>, snapshotId: string) {
    const page = await records.query({ partition: `recovery-ranges/${snapshotId}`, limit: 1_000 })
    return page.records.map(({ key, body }) => ({ orderId: key.sort, ...(body as unknown as Result) }))
  }

  describe('a table of five million rows', () => {
    it('is captured by several instances at one instant, and comes back equal', async () => {
      const stores = openStores()
      const queueUrl = outputOf(deployed.outputs, 'PartQueueUrl')
      const workers = await startPartWorkers(
        { endpoint, queueUrl, functionName: 'backstop-local-recovery-part' },
        WORKERS,
      )
      try {
        await stores.run(`CREATE TABLE public.measurements AS
          SELECT i AS id, i % 997 AS reading FROM generate_series(1, ${ROWS}) i`)
        const [original] = await stores.ask(SUM)
        // From here on amounts move between its first and its last page: ranges that are not of one instant do not add up.
        let isWriting = true
        const move = `UPDATE public.measurements SET reading = reading + CASE id WHEN 1 THEN 1 ELSE -1 END WHERE id IN (1, ${ROWS})`
        const writing = (async () => {
          while (isWriting) await stores.run(move)
        })()
        const point = await eventually(findPoint, {
          timeoutMs: 240_000,
          everyMs: 1_000,
          what: 'a point of the large table',
        }).finally(() => {
          isWriting = false
        })
        await writing
        expect(point.row_count).toBe(ROWS)

        await stores.recovery.rebuildCatalog()
        const { manifest } = await stores.recovery.readManifest(point.snapshot_id)
        const keys = manifest.parts.map(({ key }) => key)
        const ranges = new Set(keys.map((key) => /part-(\d{5})-/.exec(key)?.[1]))
        const worked = workers.worked.filter(({ snapshotId }) => snapshotId === point.snapshot_id)
        const byWorkers = (await resultsOf(stores, point.snapshot_id)).filter(({ status }) => status === 'captured')
        console.log(
          `${ranges.size} ranges: ${byWorkers.length} by ${new Set(worked.map(({ instance }) => instance)).size} workers, the others by the coordinator`,
        )
        expect(ranges.size).toBeGreaterThan(10)
        expect(manifest.parts.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(ROWS)
        expect(new Set(worked.map(({ instance }) => instance)).size).toBe(WORKERS)
        // Their parts are the manifest's, and at some moment all were at work.
        expect(byWorkers.length).toBeGreaterThanOrEqual(WORKERS)
        for (const { parts = [] } of byWorkers) {
          expect(parts.length).toBeGreaterThan(0)
          for (const { key } of parts) expect(keys).toContain(key)
        }
        const atWork = worked.map(
          ({ fromMs }) => worked.filter((one) => one.fromMs <= fromMs && fromMs < one.toMs).length,
        )
        expect(Math.max(...atWork)).toBe(WORKERS)

        const target = { schema: 'public', name: 'measurements_recovered' }
        const restored = await stores.recovery.restore({ snapshotId: point.snapshot_id, target })
        expect(restored).toMatchObject({ rowCount: ROWS })
        const sides = await Promise.all(
          ['measurements', 'measurements_recovered'].map((table) => stores.ask(FIGURES(table))),
        )
        expect(sides[1]).toEqual(sides[0])
        expect(await stores.ask(SUM.replace('measurements', 'measurements_recovered'))).toEqual([original])
      } finally {
        await workers.stop()
        await stores.run('DROP TABLE IF EXISTS public.measurements, public.measurements_recovered')
        await stores.close()
      }
    }, 420_000)
  })
}
